"""Checks data that may be in the restored tree, and downloads data that is in an artifact."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wandb_repro.errors import RefusedError
from wandb_repro.rerun.data_sources import (
    ARE_MISSING,
    HAVE_CHANGED,
    Source,
    Sources,
    refuse_faults,
    state_of,
)
from wandb_repro.rerun.looking import NOT_LOOKED_AT

Fetch = Callable[[str, Path], Path]
"""Downloads a version of an artifact into a folder; returns its path."""


def check_restored(
    sources: Sources, code: Path, fetch: Fetch, *, within: Path, downloads: Path
) -> None:
    """Check the data that may be in the restored tree, and download what is in an artifact.

    Also checks what was not looked at before the person agreed to the rerun.

    Nothing is put outside ``within``; ``downloads`` is a folder where no script looks.

    Raises:
        RefusedError: the record puts data outside the new folder, or some data is missing.
        InconclusiveError: some data was changed; the error names all of it.
    """
    missing: list[str] = []
    changed: list[str] = []
    for source in sources.named("later"):
        path = Path(os.path.normpath(code / (source.place or source.absolute)))
        state, label = state_of(source.files, str(path)), source.label
        # The tree may have only the part of it that was small enough to be stored.
        if state in ("missing", "changed") and source.files.artifact:
            state, label = _fetch(source, path, fetch, within, downloads)
        elif state == "missing" and os.path.exists(source.target):  # noqa: PTH110
            state = "changed"  # it was never in the tree, and is different now
        missing += [label] if state == "missing" else []
        changed += [label] if state == "changed" else []
    for source in sources.named(NOT_LOOKED_AT):
        state = state_of(source.files, source.target)
        missing += [source.label] if state == "missing" else []
        changed += [source.label] if state == "changed" else []
    refuse_faults({ARE_MISSING: missing, HAVE_CHANGED: changed})


def _fetch(
    source: Source, path: Path, fetch: Fetch, within: Path, downloads: Path
) -> tuple[str, str]:
    """Download an artifact and link it where the script looks, if it is the recorded data.

    Returns its state, and a label for messages.
    """
    artifact = source.files.artifact
    if source.place is None:
        return "missing", f"{source.label}, and the script opens it there, not as {artifact}"
    if not path.parent.resolve().is_relative_to(within.resolve()):
        raise RefusedError(f"The record puts {artifact} outside the new folder: {path}.")
    downloads.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="artifact-", dir=downloads))
    try:
        downloaded = fetch(artifact, folder)
    except Exception as error:  # noqa: BLE001 - any error of W&B is why it is missing
        why = str(error).rstrip(".")
        return "missing", f"{source.label}, and {artifact} cannot be downloaded: {why}"
    target = _same_in(downloaded, source)
    if target is None:
        return "changed", f"{source.label}, as W&B has them now in {artifact}"
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return "same", ""


def _same_in(artifact: Path, source: Source) -> Path | None:
    """Return the part of an artifact that is the data: a path that ends as recorded, or all."""
    names = PurePosixPath(source.absolute).parts[1:]
    ends = (artifact.joinpath(*names[first:]) for first in range(len(names) + 1))
    states = ("same", "not told")
    return next((end for end in ends if state_of(source.files, str(end)) in states), None)
