"""Folders where data may be: neither the system's, nor settings and caches, nor everybody's."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path, PurePosixPath

from wandb_repro.capture.process.library_folders import SYSTEM_FOLDERS
from wandb_repro.capture.source.root import holds_more_than_code
from wandb_repro.manifest.data import is_download_cache

_NEVER = ("/proc/", "/sys/", "/dev/", "/etc/")
_NO_DATA = frozenset({"__pycache__", "site-packages", "dist-packages", "node_modules"})
_ARTIFACT = re.compile(r".+:v\d+")
"""A folder that ``wandb.Artifact.download`` makes: a rerun downloads it again."""
_TEMPORARY = re.compile(r"tmp[a-z0-9_]{8}")
"""What ``tempfile.mkdtemp`` makes."""


def may_hold_data(folder: str, root: str) -> bool:
    """Return whether a folder may hold a script's data; reads no disk.

    ``/home/ada/digits/data`` and ``/mnt/images``: yes. ``/proc/self``, ``/home/ada``, ``/tmp``,
    ``/home/ada/.ssh``, ``/home/ada/digits/.venv``: no.

    Args:
        folder: absolute path.
        root: of the source tree, which may itself be below a hidden or temporary folder.
    """
    parts = PurePosixPath(folder).parts
    if holds_more_than_code(Path(folder)) or not _NO_DATA.isdisjoint(parts):
        return False
    if any(_ARTIFACT.fullmatch(part) for part in parts):
        return False
    return may_be_data(folder, root)


def may_be_data(place: str, root: str) -> bool:
    """Return whether a file or folder may be a script's data; reads no disk.

    ``/home/ada/x.csv``: yes. ``/usr/lib``, ``/dev/zero``, ``/home/ada/.ssh/id_rsa``: no.

    Args:
        place: absolute path.
        root: of the source tree.
    """
    path = PurePosixPath(place)
    # A root of two slashes is another one for POSIX.
    if not _is_plain(place) or not _is_plain(root):
        return False
    if ".." in path.parts or f"{path}/".startswith(_NEVER):
        return False
    in_tree = path.is_relative_to(root) and root != "/"
    if not in_tree and f"{path}/".startswith(SYSTEM_FOLDERS):
        return False
    if is_download_cache(place):
        return True
    folder = str(path)
    common = os.path.commonpath([folder, root])
    below = path.relative_to(common).parts
    return not any(part.startswith(".") for part in below) and not _is_mkdtemp(common, below)


def _is_plain(path: str) -> bool:
    return path.startswith("/") and not path.startswith("//")


def _is_mkdtemp(common: str, below: tuple[str, ...]) -> bool:
    """Return whether a path goes on below ``common`` with a folder of ``tempfile.mkdtemp``."""
    folder = Path(common, *below)
    for temporary in {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}:
        inside = folder.parts[: len(Path(temporary).parts)] == Path(temporary).parts
        first = folder.parts[len(Path(temporary).parts) :][:1]
        if inside and first and not Path(common).is_relative_to(Path(temporary, *first)):
            return _TEMPORARY.fullmatch(first[0]) is not None
    return False
