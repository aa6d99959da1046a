"""The files of a ``.dist-info`` or ``.egg-info`` folder, read as quickly as a disk gives them.

Source: Recording installed projects (PyPA). Measured for 300 distributions: importlib.metadata
spends twice as long on paths and on files that are not there as on reading.

The distributions that a process can import, read once for as long as they stay as they are.

A sweep records a hundred runs in one process. What each run would read of its packages is the
same, and looking at the files' stamps takes a hundredth of reading them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

__all__ = [
    "DistInfo",
    "Headers",
    "Installation",
    "direct_url_of",
    "folder_of",
    "installation",
    "normalised_name",
]


_HEADERS = ("Name:", "Version:", "Requires-Dist:")


class Headers(NamedTuple):
    """What METADATA says first."""

    name: str
    """Normalised; empty where it tells none."""
    version: str
    requires: tuple[str, ...]
    """Each ``Requires-Dist``, as it is written (PEP 508)."""


class DistInfo:
    """What one installed distribution says of itself."""

    def __init__(self, distribution: importlib.metadata.Distribution) -> None:
        self.distribution = distribution
        self.folder = folder_of(distribution)
        """Absolute path as it was found through ``sys.path``; empty for what is no folder."""
        self.location, _, self.base = self.folder.rpartition("/")
        """Folder of ``sys.path`` that it was found in, and its own name there."""
        self._names = _names_in(self.folder)
        self._read: dict[str, os.stat_result | None] = {}
        """Of each file that was read, its status when it first was; "" for what is no folder."""

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return bool(self.text(name)) if self._names is None else name in self._names

    def text(self, name: str) -> str:
        """Return a file; empty where there is none that can be read."""
        with contextlib.suppress(UnicodeDecodeError):
            return _as_text(self.content(name))
        return ""

    def content(self, name: str) -> bytes:
        """Return a file's bytes; empty where there is none that can be read."""
        if self._names is None:
            self._read.setdefault("", _status(self.folder))
            with contextlib.suppress(OSError, UnicodeDecodeError):
                return (self.distribution.read_text(name) or "").encode()
        elif name in self._names:
            with contextlib.suppress(OSError):
                return self._content(name)
        return b""

    def _head(self, name: str) -> str:
        """Return a file up to its first empty line, at least: no more of it is read than that."""
        if self._names is not None and name in self._names:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                read = self._content(name, _HEAD_BYTES)
                head, found, _ = read.partition(b"\n\n")
                if found or len(read) < _HEAD_BYTES:
                    return _as_text(head)
        return self.text(name)

    def _content(self, name: str, at_most: int = -1) -> bytes:
        """Return a file's bytes, or the first of them.

        NOTE: half of what Python's file objects take; a fifth of what Path does.
        """
        file = os.open(f"{self.folder}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            # Of the open file, not of its path: so it is of what is read for certain.
            self._read.setdefault(name, os.fstat(file))
            if at_most >= 0:
                return os.read(file, at_most)
            pieces = [os.read(file, _PIECE_BYTES)]
            while len(pieces[-1]) == _PIECE_BYTES:
                pieces.append(os.read(file, _PIECE_BYTES))
            return b"".join(pieces)
        finally:
            os.close(file)

    def is_as_read(self) -> bool:
        """Tell whether each file that was read is as it was then, and no other has come or gone."""
        if self._names != _names_in(self.folder):
            return False
        return all(
            then is not None
            and (now := _status(f"{self.folder}/{name}" if name else self.folder)) is not None
            and _times(now) == _times(then)
            for name, then in tuple(self._read.items())  # others may be reading
        )

    @functools.cached_property
    def headers(self) -> Headers:
        """Name, version and requirements.

        NOTE: Distribution.metadata parses the whole message, three times as long.
        """
        text = self._head("METADATA") or self._head("PKG-INFO")
        lines = text.partition("\n\n")[0].split("\n")
        found = [_header(line) for line in lines if line.startswith(_HEADERS)]
        told = {key: value for key, value in reversed(found) if value}
        requires = tuple(value for key, value in found if key == "Requires-Dist" and value)
        version = told.get("Version", "unknown").split()[0]
        return Headers(normalised_name(told.get("Name", "")), version, requires)

    @property
    def is_egg(self) -> bool:
        """Whether it is an ``.egg-info``, which a build leaves beside the sources too."""
        return self.base.endswith(".egg-info")


def folder_of(distribution: importlib.metadata.Distribution) -> str:
    """Return the path of its metadata as found through ``sys.path``; empty where it has none."""
    return str(getattr(distribution, "_path", ""))


def _header(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key, value.strip(" \t")


@functools.lru_cache(maxsize=10_000)
def normalised_name(name: str) -> str:
    """Return the name as PEP 503 writes it."""
    return _SEPARATOR.sub("-", name).lower()


_SEPARATOR = re.compile(r"[-_.]+")


def direct_url_of(info: DistInfo) -> dict[str, Any]:
    """Return ``direct_url.json`` (PEP 610); empty where it came from an index."""
    try:
        content: object = json.loads(info.text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}


def _names_in(folder: str) -> frozenset[str] | None:
    """Return what a folder holds; None for what is none, such as a zipped egg."""
    with contextlib.suppress(OSError):
        return frozenset(os.listdir(folder or "/dev/null"))  # noqa: PTH208
    return None


def _status(path: str) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return os.stat(path)  # noqa: PTH116 - as many as a thousand files
    return None


def _times(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


_HEAD_BYTES = 1 << 14
_PIECE_BYTES = 1 << 18


def _as_text(content: bytes) -> str:
    text = content.decode("utf-8")
    return text.replace("\r\n", "\n") if "\r" in text else text


class Installation:
    """What is installed at one moment.

    Args:
        found: distributions in the order of ``sys.path``.
    """

    def __init__(self, found: Iterable[DistInfo]) -> None:
        self.found = tuple(found)
        self.chosen: Mapping[str, DistInfo] = _chosen(self.found)
        """What is imported, by normalised name, sorted: the first on the path wins.

        An ``.egg-info`` gives way to a ``.dist-info``: a build leaves one beside the sources, and
        the folder of the script comes first on ``sys.path``.
        """

    def is_of(self, distributions: Iterable[importlib.metadata.Distribution]) -> bool:
        """Tell whether it was read of these, in the same order."""
        return [info.folder for info in self.found] == [folder_of(each) for each in distributions]

    def is_as_read(self) -> bool:
        """Tell whether nothing that was read of it has changed since."""
        return all(info.is_as_read() for info in self.found)


def installation(found: Iterable[importlib.metadata.Distribution]) -> Installation:
    """Return what is installed: the same object again while no file of its metadata changes."""
    distributions = tuple(found)
    last = _Last.read
    if last is not None and last.is_of(distributions) and last.is_as_read():
        return last
    _Last.read = Installation(map(DistInfo, distributions))
    return _Last.read


class _Last:
    """The last that was read."""

    read: Installation | None = None


def _chosen(found: Iterable[DistInfo]) -> dict[str, DistInfo]:
    chosen: dict[str, DistInfo] = {}
    for info in found:
        name = info.headers.name
        # What pip could not remove it renames to "~name"; nothing imports that.
        if not name or info.base.startswith("~"):
            continue
        if name not in chosen or (chosen[name].is_egg and not info.is_egg):
            chosen[name] = info
    return dict(sorted(chosen.items()))
