"""Restores the files that the original used outside its snapshot.

Like the tree, they may come from anyone: they are unpacked and checked in the same way, in a
separate folder, and moved from there only to paths that do not exist.
"""

from __future__ import annotations

import os
import posixpath
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from wandb_repro.capture.source.objects import readable
from wandb_repro.errors import RefusedError
from wandb_repro.files import sha256_of_bytes
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code
from wandb_repro.rerun.path_map import MOST_LEVELS_UP, is_absolute, mirrored
from wandb_repro.rerun.restore import restore


def added_of(code: Code) -> Added | None:
    """Return the files that were stored in addition to a tree; None if there are none."""
    added = code.added
    if isinstance(added, Unavailable) or isinstance(added.bundle, Unavailable):
        return None
    return added


def adds_below(code: Code, folder: str) -> bool:
    """Tell whether an added file was below an absolute folder of the original's machine."""
    added = added_of(code)
    return added is not None and any(
        PurePosixPath(added.top, file.path).is_relative_to(folder) for file in added.files
    )


def folders_up(code: Code) -> int:
    """Return how many folders above the tree the added files start.

    Raises:
        RefusedError: they start from a folder that is not above the tree.
    """
    added = added_of(code)
    if added is None:
        return 0
    if not is_absolute(added.top):
        raise RefusedError(f"The record's added files have no valid root: {added.top[:80]!r}.")
    steps = PurePosixPath(posixpath.relpath(added.top, code.root)).parts
    if any(step != ".." for step in steps):
        raise RefusedError(
            f"The record's added files start from {added.top[:80]!r}, which is not above its tree."
        )
    if len(steps) > MOST_LEVELS_UP:
        raise RefusedError(f"The record's added files start {len(steps)} folders above its tree.")
    return len(steps)


def restore_added(bundle: Path, code: Code, restored: Path, *, within: Path, scratch: Path) -> None:
    """Put the added files into the restored tree and into folders above it.

    Args:
        bundle: the file that ``code.added.bundle`` describes.
        code: the record.
        restored: the restored tree.
        within: the new folder, which no file may leave.
        scratch: a folder to unpack in; must not exist, and be on the same disk.

    Raises:
        CodeError: the bundle is not the recorded one, is hostile or too large, or does not hold
            the recorded files.
        RefusedError: a file would leave the new folder, or replace one of the tree.
    """
    added = added_of(code)
    if added is None:
        return
    restore(bundle, code.model_copy(update={"tree": added.tree, "bundle": added.bundle}), scratch)
    try:
        top = mirrored(added.top, code.root, restored, within)
        if top is None:
            raise RefusedError(f"The record adds files to {added.top[:200]!r}, outside its tree.")
        files = sorted(_files(scratch))
        _check_named(scratch, files, added)
        for file in files:
            _move(scratch / file, top / file, within)
    except OSError as error:
        raise RefusedError(f"An added file cannot be put in its place: {error}.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_named(scratch: Path, files: Sequence[Path], added: Added) -> None:
    """Check that the record names the files in its bundle: people decide by these names."""
    paths = {readable(os.fsencode(path)): scratch / path for path in files}
    if sorted(paths) != sorted(file.path for file in added.files):
        raise RefusedError("The record does not name the files that were added to it.")
    for file in added.files:
        path = paths[file.path]
        if path.is_symlink():
            raise RefusedError(f"The record adds {file.path!r}, which is a link.")
        data = path.read_bytes()
        if (len(data), f"sha256:{sha256_of_bytes(data)}") != (file.size_bytes, file.digest):
            raise RefusedError(f"The file {file.path!r} is not the one that the record adds.")


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        for name in (*names, *(each for each in folders if Path(parent, each).is_symlink())):
            yield Path(parent, name).relative_to(folder)


def _move(source: Path, path: Path, within: Path) -> None:
    """Move a file to a path that does not exist. A link in the tree must not redirect it."""
    if not path.parent.resolve().is_relative_to(within.resolve()):
        raise RefusedError(f"The record adds a file outside the new folder: {path}.")
    if os.path.lexists(path):
        raise RefusedError(f"The record adds {path}, which its tree holds already.")
    path.parent.mkdir(parents=True, exist_ok=True)
    source.rename(path)
