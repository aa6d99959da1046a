"""Fills the new folder of a rerun: the source tree, and files that the original used outside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from wandb_repro.errors import RefusedError
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
            if link.is_data and os.path.isdir(link.target):  # noqa: PTH112
                left_bytes -= _place_folder(Path(link.target), path, left_bytes)
            elif not os.path.lexists(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                left_bytes -= _place(Path(link.target), path, left_bytes)
        except OSError as error:
            raise RefusedError(
                f"{link.target} cannot be put at {path}: {error.strerror}."
            ) from error


def _place_folder(target: Path, path: Path, left_bytes: int) -> int:
    """Put the files of a folder where they are missing; return the number of bytes copied.

    Folders are made, not linked: what the script writes into them is not written into the
    original's. Links to folders are not followed.
    """
    files = [Path(parent, name) for parent, _, names in os.walk(target) for name in names]
    if len(files) > _MOST_PLACED:
        if not os.path.lexists(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)
        return 0
    copied_bytes = 0
    for file in files:
        inside = path / file.relative_to(target)
        if os.path.lexists(inside) or not file.is_file() or _is_behind_link(inside, path):
            continue
        inside.parent.mkdir(parents=True, exist_ok=True)
        copied_bytes += _place(file, inside, left_bytes - copied_bytes)
    return copied_bytes


_MOST_PLACED = 200_000
"""Files of a folder that are put one by one; the folder is linked if there are more."""


def _is_behind_link(file: Path, top: Path) -> bool:
    """Tell whether the way to a file leads through a link: the tree may have one in the folder."""
    return any(
        folder.is_symlink() for folder in (file, *file.parents) if folder.is_relative_to(top)
    )


def _place(target: Path, path: Path, left_bytes: int) -> int:
    """Copy a file, or link it if it is too large; return the number of bytes copied."""
    size_bytes = target.stat().st_size
    if not target.is_file() or size_bytes > left_bytes:
        path.symlink_to(target)
        return 0
    shutil.copy2(target, path)
    return size_bytes
