"""Data that is known only once the tree is restored, and data that is downloaded into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wandb_repro.errors import RefusedError
from wandb_repro.rerun.data_sources import Source, Sources, refuse_lacking, state_of

Fetch = Callable[[str, Path], Path]
"""Downloads a version of an artifact into a folder; returns where it is."""


def check_restored(
    sources: Sources, code: Path, fetch: Fetch, *, within: Path, downloads: Path
) -> None:
    """Look for what is known only once the tree is restored, and fetch what an artifact holds.

    Args:
        sources: of the plan.
        code: the restored tree.
        fetch: downloads a version of an artifact.
        within: folder of the tree and of what is beside it: nothing is put outside.
        downloads: folder for what is downloaded, where no script looks.

    Raises:
        RefusedError: the record wants data outside the new folder.
        InconclusiveError: some data is missing, or not as it was; the error names all.
    """
    missing: list[str] = []
    changed: list[str] = []
    for source in sources.named("later"):
        place = Path(os.path.normpath(code / (source.place or source.absolute)))
        state, told = state_of(source.files, str(place)), source.told
        # The tree may hold a part of it, which was small enough to be stored.
        if state in ("missing", "changed") and source.files.artifact:
            state, told = _fetched(source, place, fetch, within, downloads)
        elif state == "missing" and os.path.exists(source.target):  # noqa: PTH110
            state = "changed"  # it was never in the tree, and is another now
        missing += [told] if state == "missing" else []
        changed += [told] if state == "changed" else []
    refuse_lacking({"are not here": missing, "are not the same here": changed})


def _fetched(
    source: Source, place: Path, fetch: Fetch, within: Path, downloads: Path
) -> tuple[str, str]:
    """Put what an artifact holds where the script expects it; return its state, and a message.

    It is put there only if it is the same.
    """
    artifact = source.files.artifact
    if source.place is None:
        return "missing", f"{source.told}, and the script opens it there, not as {artifact}"
    if not place.parent.resolve().is_relative_to(within.resolve()):
        raise RefusedError(f"The record puts {artifact} outside the new folder: {place}.")
    downloads.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="artifact-", dir=downloads))
    try:
        found = fetch(artifact, folder)
    except Exception as error:  # noqa: BLE001 - whatever W&B raises is why it is not here
        why = str(error).rstrip(".")
        return "missing", f"{source.told}, and {artifact} cannot be downloaded: {why}"
    target = _same_in(found, source)
    if target is None:
        return "changed", f"{source.told}, as W&B has them now in {artifact}"
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
    return next((it for it in ends if state_of(source.files, str(it)) in states), None)
