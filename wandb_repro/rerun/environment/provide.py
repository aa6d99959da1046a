"""Makes the environment of one rerun: a clone of a cached one, or a new one, which is cached."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from wandb_repro.capture.packages.distributions import read_distributions
from wandb_repro.errors import DiskFullError
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.build import Rebuilt, notes_on, rebuild, site_packages
from wandb_repro.rerun.environment.bytecode import clone_bytecode
from wandb_repro.rerun.environment.cache import Cache, Entry, key_of, limits_of, user_cache
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
        """Key in the cache."""
        return key_of(self.packages, self.base)

    def built_at(self, destination: Path) -> Rebuilt:
        """Return the description of an environment whose distributions equal the recorded ones."""
        notes = notes_on(self.packages.interpreter, self.base)
        return Rebuilt(destination / "bin" / "python", notes=notes)


@dataclass(frozen=True)
class Provided:
    """The environment of a rerun, in which nothing has been started yet."""

    built: Rebuilt
    cached: Entry | None = None
    """The cached environment that equals it; None if it is not cached."""


def is_cached(packages: Packages, base: FoundPython) -> bool:
    """Tell whether this environment was built before. It may have been changed since."""
    return user_cache().entry(key_of(packages, base)).is_complete()


def provide(wanted: Wanted, destination: Path, say: Say, *, use_cache: bool = True) -> Provided:
    """Put an environment into ``destination``, which must not exist.

    Raises:
        RebuildError: it cannot be built.
    """
    if not use_cache:
        return Provided(_rebuild(wanted, destination, say))
    cache = user_cache()
    try:
        for patience_s in (0, _PATIENCE_S):
            with cache.locked(wanted.key, patience_s=patience_s) as is_ours:
                if is_ours:
                    return _provide(cache, wanted, destination, say)
            if not patience_s:
                say("Waiting for another rerun that builds the same environment")
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
    """Clone the cached environment; if there is none or it was changed, build and cache it."""
    entry = cache.entry(wanted.key)
    if entry.folder.exists():
        say("Taking the environment of an earlier rerun")
        fault = _clone(entry, wanted, destination)
        if not fault:
            entry.touch()
            return Provided(wanted.built_at(destination), entry)
        say(f"It was changed since, so it is built again: {fault}")
        entry.remove()
        shutil.rmtree(destination, ignore_errors=True)
    return _build_and_cache(cache, wanted, destination, say)


def _clone(entry: Entry, wanted: Wanted, destination: Path) -> str:
    """Clone an entry; return the evidence that it was changed since it was built, or nothing."""
    listing = read_listing(entry.files)
    if listing is None:
        return "it has no list of its files"
    if changed := first_change(listing, list_folder(entry.environment)):
        return changed
    clone(entry.environment, listing, destination)
    clone_bytecode(entry.bytecode, destination)
    copy = read_distributions(site_packages(destination))
    unequal = compare_environments(wanted.packages, copy)
    return ", ".join(difference.name for difference in unequal)


def _build_and_cache(cache: Cache, wanted: Wanted, destination: Path, say: Say) -> Provided:
    """Build the environment in the cache, and keep it there if it equals the original's."""
    unfinished = cache.unfinished(wanted.key)
    unfinished.remove()  # left by a process that was killed: we have the lock
    unfinished.folder.mkdir()
    try:
        built = _rebuild(wanted, unfinished.environment, say)
        moved = replace(built, python=destination / "bin" / "python")
        if built.inequalities or len(built.notes) > len(wanted.built_at(destination).notes):
            shutil.move(unfinished.environment, destination)
            return Provided(moved)
        listing = list_folder(unfinished.environment)
        clone(unfinished.environment, listing, destination)
        # NOTE: on some network disks the first link sets a file's times: list them after it.
        write_listing(list_folder(unfinished.environment), unfinished.files)
        entry = cache.entry(wanted.key)
        unfinished.folder.rename(entry.folder)
    finally:
        unfinished.remove()
    if deleted := cache.prune(limits_of(os.environ), keep=wanted.key):
        say(f"Cached environments that were old or too large, deleted: {deleted}")
    return Provided(moved, entry)


def _rebuild(wanted: Wanted, destination: Path, say: Say) -> Rebuilt:
    """Build a new environment, and compare each of its files with its wheel's hash."""
    built = rebuild(
        wanted.packages, wanted.wheels, destination, python=wanted.base.path, on_progress=say
    )
    edited = tuple(unlike_their_wheel(site_packages(destination)))
    return replace(built, notes=(*built.notes, *edited))
