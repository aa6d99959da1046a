"""Git's ids for files and trees, and which names and links a tree of ours may hold."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "EXECUTABLE",
    "GITLINK",
    "LINK",
    "REGULAR",
    "Entry",
    "blob_id",
    "escaping_link",
    "git_mode",
    "object_id",
    "readable",
    "tree_id",
    "tree_objects",
    "unsafe_path",
]

REGULAR, EXECUTABLE, LINK, GITLINK = b"100644", b"100755", b"120000", b"160000"
_FOLDER = b"40000"
_LONGEST_PATH, _DEEPEST_PATH = 2048, 200
_SUSPECT = re.compile(rb"(?:^|[/\\])(?:\.{0,2}(?:[/\\]|$)|\.git|git~1)|[\0\x80-\xff]", re.I)
"""A path without this is safe, which is quick to see; with it, each name is looked at."""
_RESERVED = re.compile(r"(\.git|git~1)[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)


class Entry(NamedTuple):
    """One file of a tree."""

    mode: bytes
    """Git's file mode, such as ``100644``."""
    blob: str
    """Git id of the bytes, hexadecimal."""


def blob_id(data: bytes) -> str:
    """Return git's id of a file's bytes."""
    return object_id(b"blob", data)


def object_id(kind: bytes, body: bytes) -> str:
    """Return git's id of an object: ``blob``, ``tree`` or ``commit``.

    Source: Pro Git, 10.2 Git Objects.
    """
    digest = hashlib.sha1(b"%s %d\0" % (kind, len(body)), usedforsecurity=False)
    digest.update(body)
    return digest.hexdigest()


def tree_id(entries: Mapping[bytes, Entry]) -> str:
    """Return git's id of the tree that holds these files at these paths, and nothing else."""
    return tree_objects(entries)[0]


def tree_objects(entries: Mapping[bytes, Entry]) -> tuple[str, list[bytes]]:
    """Return git's id of the tree of these files, and the bytes of each folder's own object."""
    bodies: list[bytes] = []
    folders: dict[bytes, list[tuple[bytes, bytes]]] = {b"": []}
    for path, entry in entries.items():
        parent, _, name = path.rpartition(b"/")
        _add_folder(folders, parent)
        folders[parent].append((name, _line(entry.mode, name, entry.blob)))
    identity = ""
    # Deepest first: a folder's id is known before the one that holds it.
    for folder in sorted(folders, key=_depth, reverse=True):
        bodies.append(b"".join(line for _, line in sorted(folders[folder])))
        identity = object_id(b"tree", bodies[-1])
        parent, _, name = folder.rpartition(b"/")
        if folder:
            # NOTE: git sorts a folder as if its name ended in a slash.
            folders[parent].append((name + b"/", _line(_FOLDER, name, identity)))
    return identity, bodies


def _depth(folder: bytes) -> int:
    return folder.count(b"/") + bool(folder)


def _add_folder(folders: dict[bytes, list[tuple[bytes, bytes]]], folder: bytes) -> None:
    while folder not in folders:
        folders[folder] = []
        folder = folder.rpartition(b"/")[0]


def _line(mode: bytes, name: bytes, identity: str) -> bytes:
    return mode + b" " + name + b"\0" + bytes.fromhex(identity)


def git_mode(status: os.stat_result) -> bytes:
    """Return the mode that git gives a file, or an empty one for what git does not keep."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    if stat.S_ISREG(status.st_mode):
        return EXECUTABLE if status.st_mode & stat.S_IXUSR else REGULAR
    return b""


def unsafe_path(path: bytes) -> str:
    """Return why a path may not stand in a tree of ours; empty when it may.

    A backslash counts as a separator too, and the names that other systems take for ``.git``
    count as ``.git``.

    Source: git, ``fsck --strict``: hasDot, hasDotdot, hasDotgit, emptyName, fullPathname.
    """
    if len(path) > _LONGEST_PATH or path.count(b"/") > _DEEPEST_PATH:
        return "its path is too long"
    if _SUSPECT.search(path) is None:
        return ""
    if b"\0" in path:
        return "its path holds a NUL"
    for name in re.split(rb"[/\\]", path):
        if name in (b"", b".", b".."):
            return "its path leaves the tree"
        if _is_reserved(name):
            return "its path has a name that git reserves"
    return ""


def _is_reserved(name: bytes) -> bool:
    text = name.decode("utf-8", "replace")
    if not text.isascii():
        # NOTE: HFS+ does not see these characters.
        text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")
    return _RESERVED.fullmatch(text) is not None


def escaping_link(path: bytes, target: bytes) -> bool:
    """Return whether a symlink's text leads out of the tree, other links not considered."""
    if not target or target.startswith(b"/"):
        return True
    led = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120
    return led == b".." or led.startswith((b"../", b"/"))


def readable(path: bytes) -> str:
    """Return a path as text for a person. Bytes that are no UTF-8 are shown as hexadecimal."""
    return path.decode("utf-8", "backslashreplace")
