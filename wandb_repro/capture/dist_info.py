"""The files of a ``.dist-info`` or ``.egg-info`` folder, read as quickly as a disk gives them.

Source: Recording installed projects (PyPA). Measured for 300 distributions: importlib.metadata
spends twice as long on paths and on files that are not there as on reading.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import os
import re
from typing import Any, NamedTuple, cast

__all__ = ["DistInfo", "Headers", "direct_url_of", "normalised_name"]

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
        self.folder = str(getattr(distribution, "_path", ""))
        """Absolute path as it was found through ``sys.path``; empty for what is no folder."""
        self.location, _, self.base = self.folder.rpartition("/")
        """Folder of ``sys.path`` that it was found in, and its own name there."""
        self._names = _names_in(self.folder)

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return bool(self.text(name)) if self._names is None else name in self._names

    def text(self, name: str) -> str:
        """Return a file; empty where there is none that can be read."""
        if self._names is None:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                return self.distribution.read_text(name) or ""
        elif name in self._names:
            with contextlib.suppress(OSError, UnicodeDecodeError):
                return _read(f"{self.folder}/{name}")
        return ""

    @functools.cached_property
    def headers(self) -> Headers:
        """Name, version and requirements.

        NOTE: Distribution.metadata parses the whole message, three times as long.
        """
        text = self.text("METADATA") or self.text("PKG-INFO")
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


def _read(path: str) -> str:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the time of Path
        text = file.read().decode("utf-8")
    return text.replace("\r\n", "\n") if "\r" in text else text
