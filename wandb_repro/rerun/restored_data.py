"""Data that is known only once the tree is restored, and data that is downloaded into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wandb_repro.errors import RefusedError
from wandb_repro.rerun.data_sources import Source, Sources, refuse_faults, state_of

Fetch = Callable[[str, Path], Path]
"""Downloads a version of an artifact into a folder; returns where it is."""


def check_restored(
    sources: Sources, code: Path, fetch: Fetch, *, within: Path, downloads: Path
) -> None:
    """Check the data that may be in the restored tree, and download what is in an artifact.

    Nothing is put outside ``within``; ``downloads`` is a folder where no script looks.

    Raises:
        RefusedError: the record puts data outside the new folder.
        InconclusiveError: some data is missing or was changed; the error names all of it.
    """
    missing: list[str] = []
    changed: list[str] = []
    for source in sources.named("later"):
        place = Path(os.path.normpath(code / (source.place or source.absolute)))
        state, label = state_of(source.files, str(place)), source.label
        # The tree may have only the part of it that was small enough to be stored.
        if state in ("missing", "changed") and source.files.artifact:
            state, label = _fetch(source, place, fetch, within, downloads)
        elif state == "missing" and os.path.exists(source.target):  # noqa: PTH110
            state = "changed"  # it was never in the tree, and is another now
        missing += [label] if state == "missing" else []
        changed += [label] if state == "changed" else []
    refuse_faults({"are not here": missing, "are not the same here": changed})


def _fetch(
    source: Source, place: Path, fetch: Fetch, within: Path, downloads: Path
) -> tuple[str, str]:
    """Download an artifact and link it where the script looks, if it is the recorded data.

    Returns its state, and what to say about it.
    """
    artifact = source.files.artifact
    if source.place is None:
        return "missing", f"{source.label}, and the script opens it there, not as {artifact}"
    if not place.parent.resolve().is_relative_to(within.resolve()):
        raise RefusedError(f"The record puts {artifact} outside the new folder: {place}.")
    downloads.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="artifact-", dir=downloads))
    try:
        found = fetch(artifact, folder)
    except Exception as error:  # noqa: BLE001 - whatever W&B raises is why it is not here
        why = str(error).rstrip(".")
        return "missing", f"{source.label}, and {artifact} cannot be downloaded: {why}"
    target = _same_in(found, source)
    if target is None:
        return "changed", f"{source.label}, as W&B has them now in {artifact}"
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return "same", ""


def _same_in(found: Path, source: Source) -> Path | None:
    """Return what of an artifact is the data: a file or folder named as it was, or all of it."""
    names = PurePosixPath(source.absolute).parts[1:]
    ends = (found.joinpath(*names[first:]) for first in range(len(names) + 1))
    states = ("same", "not told")
    return next((end for end in ends if state_of(source.files, str(end)) in states), None)
