"""Which distributions a process uses: the owners of its modules and mapped libraries."""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterable, Mapping

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import DistInfo
from wandb_repro.capture.packages.record import record_paths

_LIBRARY = re.compile(r" (/\S.*\.so\S*)$", re.MULTILINE)
_OF_THE_ENVIRONMENT = ("_virtualenv.py", "_distutils_hack")
"""Written by the tool that made the environment, not by a package."""


def loaded_files(host: Host) -> frozenset[str]:
    """Return the files of all modules, and of all libraries that are mapped, absolute.

    Source: proc(5), "/proc/pid/maps".
    """
    # vars, not getattr: reading an attribute of a lazy module of TensorFlow imports it.
    files = {vars(module).get("__file__") for module in list(host.modules.values()) if module}
    with contextlib.suppress(OSError):
        files.update(_LIBRARY.findall(host.read_text("/proc/self/maps")))
    return frozenset(file for file in files if isinstance(file, str) and file.startswith("/"))


class Owners:
    """Finds the distribution that installed a file.

    Args:
        infos: the installed distributions, by normalised name.
    """

    def __init__(self, infos: Mapping[str, DistInfo]) -> None:
        self._infos = infos
        self._by_top: dict[str, list[str]] = {}
        self._certain: set[str] = set()
        # Called four times in a run, for thousands of files.
        self._of = functools.cache(self._owners_of)
        self._files_of = functools.cache(self._listed_files)
        for name, info in infos.items():
            tops = _tops(info)
            if not tops or _is_in_place(info):
                self._certain.add(name)
            for top in tops:
                self._by_top.setdefault(f"{info.location}/{top}", []).append(name)
        self._folders = _folders(infos.values())

    def names(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the names of the distributions that these files belong to, sorted.

        Editable installs, and distributions that do not list their files, are always included.
        """
        return tuple(sorted(self.of(files) | self._certain))

    def of(self, files: Iterable[str]) -> set[str]:
        """Return the names of the distributions that list these files or their folders."""
        return {name for file in files for name in self._of(file)}

    def unowned(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the files that are in a folder of packages but belong to none, sorted.

        A folder in which one package does not list its files is skipped.
        """
        vague = {info.location for info in self._infos.values() if not info.has("RECORD")}
        return tuple(
            sorted(
                file
                for file in files
                if (place := self._place(file))
                and place[0] not in vague
                and not place[1].startswith(_OF_THE_ENVIRONMENT)
                and not self._of(file)
            )
        )

    def _place(self, file: str) -> tuple[str, str] | None:
        """Return the folder of packages that holds a file, and the file's path in it."""
        for folder, location in self._folders:
            if file.startswith(folder):
                return location, file[len(folder) :]
        return None

    def _owners_of(self, file: str) -> tuple[str, ...]:
        place = self._place(file)
        if place is None:
            return ()
        location, path = place
        owners = self._by_top.get(f"{location}/{path.partition('/')[0]}", [])
        if len(owners) < 2:
            return tuple(owners)
        return tuple(name for name in owners if path in self._files_of(name))

    def _listed_files(self, name: str) -> frozenset[str]:
        return frozenset(record_paths(self._infos[name].text("RECORD")))


def _folders(infos: Iterable[DistInfo]) -> list[tuple[str, str]]:
    """Return each spelling of each folder of packages, and the folder, innermost first.

    A module's path starts as on ``sys.path``, a mapped library's is the real path.
    """
    locations = {info.location for info in infos if info.location}
    spelled = {(f"{name}/", at) for at in locations for name in (at, os.path.realpath(at))}
    return sorted(spelled, key=lambda pair: -len(pair[0]))


def _tops(info: DistInfo) -> set[str]:
    """Return its top-level names in the folder of packages; empty if it does not list them."""
    record = info.text("RECORD")
    if record:
        tops = {line.partition("/")[0] for line in record.splitlines()}
        return {top.partition(",")[0].strip('"') for top in tops}
    names = info.text("top_level.txt").split()
    return {*names, *(f"{name}.py" for name in names)}


def _is_in_place(info: DistInfo) -> bool:
    """Return whether it is an editable install, whose modules are in a source folder."""
    return info.has("direct_url.json") and '"editable"' in info.text("direct_url.json")
