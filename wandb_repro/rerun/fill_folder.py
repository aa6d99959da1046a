"""Fills the new folder of a rerun: the source tree, and files that the original used outside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.data import DataFiles, InputFolder, is_part_of
from wandb_repro.rerun.plan import Plan
from wandb_repro.rerun.planned_inputs import Link
from wandb_repro.rerun.restore import restore
from wandb_repro.rerun.restore_extra import restore_added

_COPIED_BYTES = 1 << 30


def restore_code(plan: Plan, bundle: Path, added: Path) -> None:
    """Restore the tree and the added files from their bundles, and put the inputs next to them.

    Raises:
        CodeError: the tree cannot be restored, or is not the recorded one.
        RefusedError: the record puts a file outside the new folder.
    """
    plan.code.parent.mkdir(parents=True, exist_ok=True)
    restore(bundle, plan.parts.code, plan.code)
    restore_added(
        added, plan.parts.code, plan.code, within=plan.tree_folder, scratch=plan.work / "added"
    )
    place_inputs(plan.code, plan.inputs.links, within=plan.tree_folder)
    _make_working_folder(plan)


def _make_working_folder(plan: Plan) -> None:
    """Make the folder to start in, unless restored files are in it."""
    try:
        plan.cwd.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RefusedError(f"{plan.cwd} cannot be made: {error.strerror}.") from error
    if not plan.cwd.resolve().is_relative_to(plan.tree_folder.resolve()):
        raise RefusedError(f"The record's working directory leaves its tree: {plan.cwd}.")


def place_inputs(
    code: Path, links: tuple[Link, ...], *, within: Path, copied_bytes: int = _COPIED_BYTES
) -> None:
    """Put files from outside the snapshot where the script looks: copies first, then links.

    Raises:
        RefusedError: a path is outside ``within``, or a file of the tree is in the way.
    """
    # A script may write to a file that it read, and the original's files must stay as they are.
    # More than copied_bytes would take too long and too much disk: the rest is linked.
    left_bytes = copied_bytes
    for link in links:
        path = Path(os.path.normpath(code / link.place))
        if not path.parent.resolve().is_relative_to(within.resolve()):
            raise RefusedError(f"The record puts {link.target} outside the new folder: {path}.")
        try:
            if link.files is not None and os.path.isdir(link.target):  # noqa: PTH112
                left_bytes -= _place_folder(link.files, Path(link.target), path, left_bytes)
            elif not os.path.lexists(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                left_bytes -= _place(Path(link.target), path, left_bytes)
        except OSError as error:
            raise RefusedError(
                f"{link.target} cannot be put at {path}: {error.strerror}."
            ) from error


def _place_folder(files_of: DataFiles, target: Path, path: Path, left_bytes: int) -> int:
    """Put the files of a folder where they are missing; return the number of bytes copied.

    What the original wrote into the folder itself is left out: it was not there at its start.
    Folders are made, not linked: what the script writes into them is not written into the
    original's. Links to folders are not followed.
    """
    folders, files = _listed(target)
    if len(files) > _MOST_PLACED:
        if not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)
        return 0
    for folder in folders:  # an empty one too: its name may be that of a class
        if _is_free(path / folder, path):
            (path / folder).mkdir(parents=True)
    copied_bytes = 0
    for file in files:
        if _is_free(path / file, path) and _belongs(files_of, file):
            copied_bytes += _place(target / file, path / file, left_bytes - copied_bytes)
    return copied_bytes


def _listed(top: Path) -> tuple[list[str], list[str]]:
    """Return all folders and all files below a folder, as paths in it; the first is itself."""
    folders, files = list[str](), list[str]()
    for parent, _, names in os.walk(top):
        folder = Path(parent).relative_to(top)
        folders.append(folder.as_posix())
        files += ((folder / name).as_posix() for name in names if Path(parent, name).is_file())
    return folders, files


def _belongs(files: DataFiles, path: str) -> bool:
    return not isinstance(files, InputFolder) or is_part_of(files, path)


_MOST_PLACED = 200_000
"""Files of a folder that are put one by one; the folder is linked if there are more."""


def _is_free(path: Path, top: Path) -> bool:
    """Tell whether nothing is at a path, and no link of the tree is on the way from ``top``."""
    if os.path.lexists(path):
        return False
    return not any(folder.is_symlink() for folder in path.parents if folder.is_relative_to(top))


def _place(target: Path, path: Path, left_bytes: int) -> int:
    """Copy a file, or link it if it is too large; return the number of bytes copied."""
    # What is not here, or no regular file, is left to the script.
    if not target.is_file() or (size_bytes := target.stat().st_size) > left_bytes:
        path.symlink_to(target)
        return 0
    shutil.copy2(target, path)
    return size_bytes
