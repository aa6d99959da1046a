"""Git's ids of files and trees, and checks of paths and links in a restored tree."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

REGULAR, EXECUTABLE, LINK, GITLINK = b"100644", b"100755", b"120000", b"160000"
_FOLDER = b"40000"
_LONGEST_PATH, _DEEPEST_PATH = 2048, 200
_SUSPECT = re.compile(rb"(?:^|[/\\])(?:\.{0,2}(?:[/\\]|$)|\.git|git~1)|[\0\x80-\xff]", re.I)
"""A path without a match is safe; otherwise each name in it is checked."""
_RESERVED = re.compile(r"(\.git|git~1)[ .]*(:.*)?", re.IGNORECASE | re.DOTALL)


class Entry(NamedTuple):
    """One file of a tree."""

    mode: bytes
    """Git's file mode, such as ``100644``."""
    blob: str
    """Git id of the bytes, hexadecimal."""


def blob_id(data: bytes) -> str:
    """Return git's id of a file's bytes: SHA-1, hexadecimal."""
    return _object_id(b"blob", data)


def _object_id(kind: bytes, body: bytes) -> str:
    """Return git's id of an object, hexadecimal.

    Args:
        kind: ``blob`` or ``tree``.
        body: the object without its header.

    Source: Pro Git, 10.2 Git Objects.
    """
    digest = hashlib.sha1(b"%s %d\0" % (kind, len(body)), usedforsecurity=False)
    digest.update(body)
    return digest.hexdigest()


def tree_id(entries: Mapping[bytes, Entry]) -> str:
    """Return git's id of the tree with exactly these files, hexadecimal."""
    folders: dict[bytes, list[tuple[bytes, bytes]]] = {b"": []}
    for path, entry in entries.items():
        parent, _, name = path.rpartition(b"/")
        _add_folder(folders, parent)
        folders[parent].append((name, _line(entry.mode, name, entry.blob)))
    identity = ""
    # Deepest first: a folder's object names the ids of the folders in it.
    for folder in sorted(folders, key=_depth, reverse=True):
        identity = _object_id(b"tree", b"".join(line for _, line in sorted(folders[folder])))
        parent, _, name = folder.rpartition(b"/")
        if folder:
            # NOTE: git sorts a folder as if its name ended in a slash.
            folders[parent].append((name + b"/", _line(_FOLDER, name, identity)))
    return identity


def _depth(folder: bytes) -> int:
    return folder.count(b"/") + bool(folder)


def _add_folder(folders: dict[bytes, list[tuple[bytes, bytes]]], folder: bytes) -> None:
    while folder not in folders:
        folders[folder] = []
        folder = folder.rpartition(b"/")[0]


def _line(mode: bytes, name: bytes, identity: str) -> bytes:
    return mode + b" " + name + b"\0" + bytes.fromhex(identity)


def git_mode(status: os.stat_result) -> bytes:
    """Return git's mode of a file; empty if git does not store it, such as a socket."""
    if stat.S_ISLNK(status.st_mode):
        return LINK
    if stat.S_ISREG(status.st_mode):
        return EXECUTABLE if status.st_mode & stat.S_IXUSR else REGULAR
    return b""


def unsafe_path(path: bytes) -> str:
    """Return why a path must not be restored; empty if it may be.

    A backslash also counts as a separator. Names that other file systems take for ``.git`` count
    as ``.git``.

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
        # NOTE: HFS+ ignores these characters.
        text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return _RESERVED.fullmatch(text) is not None


def link_escapes(path: bytes, target: bytes) -> bool:
    """Return whether a symlink's text points outside the tree; other links are not followed.

    ``link_escapes(b"a/link", b"../b")`` is False, with ``b"../../b"`` True.
    """
    if not target or target.startswith(b"/"):
        return True
    target_path = os.path.normpath(os.path.join(os.path.dirname(path), target))  # noqa: PTH118, PTH120
    return target_path == b".." or target_path.startswith((b"../", b"/"))


def readable(path: bytes) -> str:
    r"""Return a path as text for people; bytes that are not UTF-8 are shown as ``\xff``."""
    return path.decode("utf-8", "backslashreplace")
