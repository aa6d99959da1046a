"""An environment for one rerun: a clone of one that was kept, or a new one, which is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wandb_repro.capture.packages.distributions import read_distributions
from wandb_repro.errors import DiskFullError
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.build import Rebuilt, notes_on, rebuild, site_packages
from wandb_repro.rerun.environment.bytecode import clone_bytecode
from wandb_repro.rerun.environment.cache import Cache, Entry, key_of, user_cache
from wandb_repro.rerun.environment.clone import (
    clone,
    first_change,
    list_folder,
    read_listing,
    write_listing,
)
from wandb_repro.rerun.environment.compare import compare_environments
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.verify_files import unlike_their_wheel

_PATIENCE_S = 600

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wanted:
    """The environment that a rerun needs."""

    packages: Packages
    wheels: Path
    """Folder of the capsule's wheels."""
    base: FoundPython
    """Interpreter to build with."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return key_of(self.packages, self.base)


@dataclass(frozen=True)
class Provided:
    """An environment of the rerun's own, in which nothing has been started yet."""

    built: Rebuilt
    kept: Entry | None = None
    """Where its like is kept; None when it is not."""


def is_kept(packages: Packages, base: FoundPython) -> bool:
    """Tell whether an environment like this was built before; it is not looked at."""
    return user_cache().entry(key_of(packages, base)).is_there()


def provide(wanted: Wanted, destination: Path, say: Say, *, use_cache: bool = True) -> Provided:
    """Put an environment at a place where nothing is.

    Args:
        wanted: what was recorded, and what it is built with.
        destination: folder of the environment.
        say: told each step.
        use_cache: take one that was kept, and keep a new one.

    Raises:
        RebuildError: it cannot be built.
    """
    if not use_cache:
        return Provided(_rebuild(wanted, destination, say))
    cache = user_cache()
    try:
        with cache.held(wanted.key) as mine:
            if mine:
                return _provide(cache, wanted, destination, say)
        say("Waiting for another rerun that builds the same environment")
        with cache.held(wanted.key, patience_s=_PATIENCE_S) as mine:
            if mine:
                return _provide(cache, wanted, destination, say)
    except OSError as error:
        say(f"The environment is not kept: {error.filename or cache.folder}: {error.strerror}")
        shutil.rmtree(destination, ignore_errors=True)
    except DiskFullError as error:
        shutil.rmtree(destination, ignore_errors=True)
        if not error.folder.is_relative_to(cache.folder):
            raise
        say(f"The environment is not kept: {error.message}")
    return Provided(_rebuild(wanted, destination, say))


def _provide(cache: Cache, wanted: Wanted, destination: Path, say: Say) -> Provided:
    """Clone what is kept; where that is none or was changed, build it and keep it."""
    entry = cache.entry(wanted.key)
    if entry.folder.exists():
        say("Taking the environment of an earlier rerun")
        fault = _cloned(entry, wanted, destination)
        if not fault:
            entry.touch()
            built = _rebuilt(wanted, destination)
            return Provided(built, entry)
        say(f"It was changed since, so it is built again: {fault}")
        entry.remove()
        shutil.rmtree(destination, ignore_errors=True)
    return _kept(cache, wanted, destination, say)


def _cloned(entry: Entry, wanted: Wanted, destination: Path) -> str:
    """Clone an entry; return what keeps it from being what was built, empty when nothing does."""
    listing = read_listing(entry.files)
    if listing is None:
        return "it has no list of its files"
    if changed := first_change(listing, list_folder(entry.environment)):
        return changed
    clone(entry.environment, listing, destination)
    clone_bytecode(entry.bytecode, destination)
    copy = read_distributions(site_packages(destination))
    unequal = compare_environments(wanted.packages, copy)
    return ", ".join(one.name for one in unequal)


def _rebuilt(wanted: Wanted, destination: Path) -> Rebuilt:
    notes = notes_on(wanted.packages.interpreter, wanted.base)
    return Rebuilt(destination / "bin" / "python", (), notes)


def _kept(cache: Cache, wanted: Wanted, destination: Path, say: Say) -> Provided:
    """Build in the cache, and keep it if it is the original's in everything."""
    place = cache.unfinished(wanted.key)
    place.remove()  # of somebody who was killed: the lock is ours
    place.folder.mkdir()
    try:
        built = _rebuild(wanted, place.environment, say)
        if built.inequalities or len(built.notes) > len(_rebuilt(wanted, destination).notes):
            shutil.move(place.environment, destination)
            return Provided(replace(built, python=destination / "bin" / "python"))
        listing = list_folder(place.environment)
        clone(place.environment, listing, destination)
        # NOTE: a first link may set a file's times on some network's disks: listed after it.
        write_listing(list_folder(place.environment), place.files)
        entry = cache.entry(wanted.key)
        place.folder.rename(entry.folder)
    finally:
        place.remove()
    return Provided(replace(built, python=destination / "bin" / "python"), entry)


def _rebuild(wanted: Wanted, destination: Path, say: Say) -> Rebuilt:
    """Build a new one, and look at every file in it once."""
    built = rebuild(
        wanted.packages, wanted.wheels, destination, python=wanted.base.path, on_progress=say
    )
    edited = tuple(unlike_their_wheel(site_packages(destination)))
    return replace(built, notes=(*built.notes, *edited))
