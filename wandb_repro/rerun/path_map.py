"""Maps paths of the original's machine into the new folder. Pure: reads no disk."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePosixPath

from wandb_repro.errors import RefusedError

MOST_LEVELS_UP = 16
"""Most folders above the tree that a rerun creates."""


def is_absolute(path: str) -> bool:
    """Tell whether a recorded path is absolute and valid."""
    return posixpath.isabs(path) and "\0" not in path


def relative_to_tree(absolute: str, root: str, *, opened_as: str) -> str | None:
    """Return where the script looks for a file, relative to its tree; may begin with ``../``.

    None for a file outside the tree that the script opens by its absolute path: the script
    looks for it there again.

    >>> relative_to_tree("/home/ada/data/x.csv", "/home/ada/digits", opened_as="../data/x.csv")
    '../data/x.csv'

    Args:
        absolute: path of the file.
        root: of the original's tree.
        opened_as: path that the script used.
    """
    relative = posixpath.relpath(absolute, root)
    inside = PurePosixPath(relative).parts[:1] != ("..",)
    return relative if inside or not posixpath.isabs(opened_as) else None


def levels_up(relative: str) -> int:
    """Return how many folders a relative path goes up."""
    return PurePosixPath(relative).parts.count("..")


def code_folder(tree: Path, root: str, up: int) -> Path:
    """Return where the tree is restored: below the named folders that the script looks up to.

    So ``../data`` is below ``tree``, and ``../me/data`` is found where it was.

    >>> code_folder(Path("/new/tree"), "/home/ada/digits", 2)
    PosixPath('/new/tree/ada/digits')

    Args:
        tree: the new folder for the tree and the folders above it.
        root: of the original's tree.
        up: folders above the tree that the script looks into.
    """
    names = PurePosixPath(posixpath.normpath(root)).parts[1:] or ("code",)
    return tree.joinpath(*names[-max(up, 1) :])


def moved(text: str, root: str, code: Path) -> str:
    """Return a path below the original's tree, ``NAME=PATH`` too, moved to the restored one.

    Any other text is returned as it is.

    >>> moved("--data=/home/ada/digits/x.npz", "/home/ada/digits", Path("/new"))
    '--data=/new/x.npz'
    """
    start = text.find("=") + 1 if not text.startswith("/") else 0
    top, value = root.rstrip("/"), text[start:]
    # A tree that was the whole disk holds every path, and says nothing about this one.
    if top and (value == top or value.startswith(top + "/")):
        return f"{text[:start]}{code}{value[len(top) :]}"
    return text


def mirrored(place: str, root: str, restored: Path, within: Path) -> Path | None:
    """Return an absolute path of the original's machine, moved along with the restored tree.

    Args:
        place: the path.
        root: of the original's tree.
        restored: the restored tree.
        within: the new folder; a path outside it becomes None.
    """
    path = Path(os.path.normpath(restored / posixpath.relpath(place, root)))
    return path if path.is_relative_to(within) else None


def path_in_tree(code: Path, recorded: str) -> Path:
    """Return a recorded path in the restored tree; an absolute one stays where it was.

    Raises:
        RefusedError: it leaves the tree.
    """
    if is_absolute(recorded):
        return Path(recorded)
    if ".." in PurePosixPath(recorded).parts or "\0" in recorded:
        raise RefusedError(f"The record's path {recorded[:80]!r} leaves its tree.")
    return code / recorded
