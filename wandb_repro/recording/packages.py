"""Records the installed packages, and which of them the run loads.

In the background, packages that are not on an index are packed as wheels, and installed files are
checked for edits. Loaded files are listed when the run starts, trains and ends.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import DistInfo
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.capture.packages.editable import importable_files
from wandb_repro.capture.packages.installation import Installation, installation
from wandb_repro.capture.packages.loaded import Owners, loaded_files
from wandb_repro.capture.packages.modified import find_modified
from wandb_repro.capture.packages.repack import repack_all, repack_modified
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, EditedPackage, Loaded, Packages, Repacked
from wandb_repro.recording.background import Background
from wandb_repro.recording.process_state import UneditedPackages, process

_OURS = "wandb-repro"
_NOT_YET = Unavailable(unavailable="the packages were still being read")
_RUNNING = Unavailable(unavailable="the run has not ended")
_READ_S = 60.0
_END_S = 20.0
_SHARED_S = 60.0


class _Installed(NamedTuple):
    """The installed packages, and which of them each file belongs to."""

    infos: Mapping[str, DistInfo]
    owners: Owners


@functools.lru_cache(maxsize=1)
def _installed_in(installation: Installation) -> _Installed:
    return _Installed(installation.chosen, Owners(installation.chosen))


def _edited(installed: _Installed, loaded: frozenset[str]) -> tuple[EditedPackage, ...]:
    """Return the edited packages.

    Runs of one process share a check of all files for a minute if it found no edits: in a sweep,
    only files loaded since then are checked again.
    """
    now, last = time.monotonic(), process.unedited
    if last is not None and last.installed is installed and now - last.checked_at < _SHARED_S:
        return _edited_sources(installed, loaded)
    edited = find_modified(installed.infos, sources=loaded)
    process.unedited = None if edited else UneditedPackages(installed, now)
    return edited


def _edited_sources(installed: _Installed, files: frozenset[str]) -> tuple[EditedPackage, ...]:
    """Return the packages edited in these source files."""
    owners = {name: installed.infos[name] for name in installed.owners.of(files)}
    return find_modified(owners, sources=files, only_sources=True)


class PackageRecorder:
    """Records the packages of a run.

    Args:
        wheels: folder for wheels of packages that are not on an index.
        withheld: why the user's own sources may not be stored, not even in a wheel; empty if they
            may. This package itself is always packed.
    """

    def __init__(
        self, host: Host, wheels: Path, *, withheld: str, after: threading.Event | None = None
    ) -> None:
        self._host = host
        self._wheels = wheels
        self._withheld = withheld
        self._packages: Packages | Unavailable = _NOT_YET
        self._loaded: Loaded | Unavailable = _NOT_YET
        self._altered: tuple[EditedPackage, ...] | Unavailable = _NOT_YET
        self._unowned: tuple[str, ...] = ()
        self._files = guarded(lambda: loaded_files(host), "loaded files")
        self._read = Background(lambda: probe_packages(host), "packages", after=after)
        self._repacked = Background(
            lambda: _repacked(host, self._read.result(_READ_S), wheels, withheld),
            "wheels of packages not on an index",
            after=after,
        )
        self._found = Background(self._find, "owners of loaded files", after=after)
        self._packed = Background(self._find_packed, "files of editable installs", after=after)
        self._edited = Background(self._find_altered, "edits by hand", after=after)

    def _find(self) -> _Installed:
        self._read.result(_READ_S)  # one busy thread while the script starts, not four
        return _installed_in(installation(self._host.distributions()))

    def _find_altered(self) -> tuple[EditedPackage, ...] | Unavailable:
        self._repacked.result(_READ_S)
        found = self._found.result(_READ_S)
        if isinstance(found, Unavailable):
            return found
        return _edited(found, _known(self._files))

    def _find_packed(self) -> frozenset[str] | Unavailable:
        packages, found = self._repacked.result(_READ_S), self._found.result(_READ_S)
        if isinstance(packages, Unavailable):
            return packages
        if isinstance(found, Unavailable):
            return found
        return frozenset(_packed_files(found.infos, packages))

    @property
    def packages(self) -> Packages | Unavailable:
        """The installed packages, as far as they are known."""
        if isinstance(self._packages, Unavailable):
            return self._packages
        known = {"loaded": self._loaded, "altered": self._altered, "unowned": self._unowned}
        return self._packages.model_copy(update=known)

    def settle(self, timeout_s: float) -> None:
        """Wait for the wheels; if there are none, record the packages without them."""
        # In order of dependency: a second attempt uses the earlier results.
        read = self._read.settled(timeout_s)
        found = self._found.settled(timeout_s)
        repacked = self._repacked.settled(timeout_s)
        self._packages = (
            repacked if isinstance(repacked, Packages) else _without_wheels(read, str(repacked))
        )
        self._packed.settled(timeout_s)
        self._note(found, _RUNNING)
        self._take_altered(self._edited.settled(0))

    def end(self) -> None:
        """Record the packages loaded at the end of the run, and edits of files loaded since."""
        before, now = self._files, guarded(lambda: loaded_files(self._host), "loaded files")
        found = self._found.result(_END_S)
        if isinstance(found, Unavailable) or isinstance(now, Unavailable):
            self._note(found, now if isinstance(now, Unavailable) else _RUNNING)
            return
        self._note(found, found.owners.names(now))
        self._unowned = found.owners.unowned(now | _known(before))
        edited = self._edited.result(_END_S)
        if isinstance(edited, Unavailable):
            self._altered = edited
            return
        more = _edited_sources(found, now - _known(before))
        self._take_altered(_joined(edited, more))

    def look(self) -> None:
        """Record the files loaded now, before training."""
        now = guarded(lambda: loaded_files(self._host), "loaded files")
        self._files = _known(self._files) | _known(now)

    def _note(self, found: _Installed | Unavailable, at_end: tuple[str, ...] | Unavailable) -> None:
        if isinstance(found, Unavailable):
            self._loaded = found
        elif isinstance(self._files, Unavailable):
            self._loaded = self._files
        else:
            self._loaded = Loaded(at_start=found.owners.names(self._files), at_end=at_end)

    def _take_altered(self, altered: tuple[EditedPackage, ...] | Unavailable) -> None:
        """Record the edited packages and pack them: no index has these versions."""
        self._altered = altered
        if isinstance(self._packages, Packages) and not isinstance(altered, Unavailable):
            self._packages = repack_modified(
                self._host, self._packages, altered, self._wheels, withheld=self._withheld
            )

    def packed_files(self) -> frozenset[str]:
        """Return absolute paths of files of editable installs that are stored in wheels.

        With and without links resolved; empty until they are known.
        """
        packed = self._packed.result(0)
        return frozenset() if isinstance(packed, Unavailable) else packed


def _known(files: frozenset[str] | Unavailable) -> frozenset[str]:
    return frozenset() if isinstance(files, Unavailable) else files


def _joined(
    first: tuple[EditedPackage, ...], more: tuple[EditedPackage, ...]
) -> tuple[EditedPackage, ...]:
    files: dict[str, set[str]] = {}
    for each in (*first, *more):
        files.setdefault(each.name, set()).update(each.files)
    return tuple(
        EditedPackage(name=name, files=tuple(sorted(paths)))
        for name, paths in sorted(files.items())
    )


def _packed_files(infos: Mapping[str, DistInfo], packages: Packages) -> Iterator[str]:
    wheels = {
        package.name: package.repacked
        for package in packages.distributions
        if package.origin == "editable" and isinstance(package.repacked, Repacked)
    }
    for name, info in infos.items():
        wheel = wheels.get(name)
        files = importable_files(info.distribution).files if wheel else {}
        for file, path in files.items():
            if wheel and file not in wheel.left_out:
                yield from (str(path), os.path.realpath(path))


def _repacked(
    host: Host, packages: Packages | Unavailable, wheels: Path, withheld: str
) -> Packages | Unavailable:
    if isinstance(packages, Unavailable) or not withheld:
        return packages if isinstance(packages, Unavailable) else repack_all(host, packages, wheels)
    ours = tuple(package for package in packages.distributions if package.name == _OURS)
    packed = repack_all(host, packages.model_copy(update={"distributions": ours}), wheels)
    rest = (package for package in packages.distributions if package.name != _OURS)
    everything = (*packed.distributions, *(_withheld(package, withheld) for package in rest))
    in_order = tuple(sorted(everything, key=lambda package: package.name))
    return packages.model_copy(update={"distributions": in_order})


def _without_wheels(packages: Packages | Unavailable, reason: str) -> Packages | Unavailable:
    """Return the packages; those on no index with the reason why they were not packed."""
    if isinstance(packages, Unavailable):
        return packages
    explained = tuple(_withheld(package, reason) for package in packages.distributions)
    return packages.model_copy(update={"distributions": explained})


def _withheld(package: Distribution, reason: str) -> Distribution:
    if package.origin == "index":
        return package
    return package.model_copy(update={"repacked": Unavailable(unavailable=reason)})
