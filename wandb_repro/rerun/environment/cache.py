"""The cache of built environments, each under the digest of its record.

environments/KEY/env           the environment, in which nothing ever runs: reruns get clones
environments/KEY/files.json    its files, their sizes and times when it was built
environments/KEY/bytecode/     what Python compiled in the first rerun, and a list of it
environments/KEY.lock          locked by the process that builds, clones or clears it
environments/.KEY-unfinished   being built, or left by a process that was killed
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from wandb_repro.files import cache_folder
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.interpreter import FoundPython

_FORMAT = 1
"""Increased when the meaning of an entry's files changes."""

DAYS_VARIABLE, GB_VARIABLE = "WANDB_REPRO_CACHE_DAYS", "WANDB_REPRO_CACHE_GB"
_DAY_S, _GB = 86_400, 10**9


@dataclass(frozen=True)
class CacheLimits:
    """What the cache keeps. Whatever is beyond is deleted when an environment is added."""

    days: float = 30.0
    """An environment that was not used for longer is deleted."""
    gigabytes: float = 20.0
    """Of files that nothing else links to; the environments used last are kept."""


def limits_of(environ: Mapping[str, str]) -> CacheLimits:
    """Return the limits that environment variables set; a wrong one leaves the default."""
    usual = CacheLimits()
    return CacheLimits(
        days=_number(environ.get(DAYS_VARIABLE), usual.days),
        gigabytes=_number(environ.get(GB_VARIABLE), usual.gigabytes),
    )


def _number(text: str | None, usual: float) -> float:
    try:
        number = float(text or "")
    except ValueError:
        return usual
    return number if number >= 0 else usual


class Sizes(NamedTuple):
    """How large the files of folders are. A file with several hard links counts once."""

    own_bytes: int
    """Of files whose links are all in these folders: what deleting them frees."""
    shared_bytes: int
    """Of the others: links in uv's cache or in a rerun remain."""


def sizes_of(*folders: Path) -> Sizes:
    """Return how large the files below some folders are; no link is followed."""
    links: Counter[tuple[int, int]] = Counter()
    found: dict[tuple[int, int], tuple[int, int]] = {}
    pending = list(folders)
    while pending:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                    continue
                status = entry.stat(follow_symlinks=False)
                links[status.st_dev, status.st_ino] += 1
                found[status.st_dev, status.st_ino] = (status.st_nlink, status.st_size)
    own = sum(size for file, (linked, size) in found.items() if links[file] >= linked)
    return Sizes(own, sum(size for _, size in found.values()) - own)


def user_cache() -> Cache:
    """Return the user's cache, which may not exist yet."""
    return Cache(cache_folder() / "environments")


def key_of(packages: Packages, base: FoundPython) -> str:
    """Return the SHA-256, hexadecimal, over everything that determines a rebuilt environment.

    Changes with each distribution's whole record (version, wheel, RECORD, packed wheel), the
    interpreter's file and build, and the machine's architecture and C library.
    """
    content = [
        _FORMAT,
        [str(base.path), base.version, base.build, base.implementation],
        [platform.machine(), *platform.libc_ver()],
        [package.model_dump(mode="json") for package in packages.distributions],
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One cached environment."""

    folder: Path

    @property
    def key(self) -> str:
        """Digest of its record."""
        return self.folder.name

    @property
    def environment(self) -> Path:
        """The virtual environment."""
        return self.folder / "env"

    @property
    def files(self) -> Path:
        """List of its files."""
        return self.folder / "files.json"

    @property
    def bytecode(self) -> Path:
        """Cached bytecode, and its list."""
        return self.folder / "bytecode"

    def is_complete(self) -> bool:
        """Tell whether it was built completely."""
        return self.files.is_file()

    def facts(self) -> tuple[str, int]:
        """Return its Python version and its number of distributions."""
        configuration = self.environment / "pyvenv.cfg"
        lines = configuration.read_text("utf-8").splitlines() if configuration.is_file() else []
        versions = [line.partition("=")[2].strip() for line in lines if line.startswith("version")]
        installed = self.environment.glob("lib/python*/site-packages/*.dist-info")
        return (versions[0] if versions else "?"), sum(1 for _ in installed)

    def touch(self) -> None:
        """Set the time of its last use to now."""
        with contextlib.suppress(OSError):
            os.utime(self.folder)

    @property
    def used_s(self) -> float:
        """When it was last used, in seconds since 1970."""
        return self.folder.stat().st_mtime

    def remove(self) -> None:
        """Delete it."""
        # The list first: without it, what is left does not count as a complete environment.
        self.files.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Cache:
    """The folder of cached environments."""

    folder: Path

    def entry(self, key: str) -> Entry:
        """Return the entry of an environment, which may not exist."""
        return Entry(self.folder / key)

    def unfinished(self, key: str) -> Entry:
        """Return the entry in which an environment is built."""
        return Entry(self.folder / f".{key}-unfinished")

    def entries(self) -> Iterator[Entry]:
        """Yield each environment, the most recently used first."""
        found = [Entry(path) for path in self._folders() if not path.name.startswith(".")]
        yield from sorted(found, key=lambda entry: -entry.used_s)

    def leftovers(self) -> Iterator[tuple[str, Entry]]:
        """Yield key and entry of each environment whose build did not end."""
        for path in self._folders():
            if path.name.startswith("."):
                yield path.name[1:].removesuffix("-unfinished"), Entry(path)

    def remove(self, entry: Entry, key: str) -> bool:
        """Delete an entry, unless a process uses it; return whether it was deleted."""
        with self.locked(key) as is_ours:
            if is_ours:
                entry.remove()
        return is_ours

    def prune(self, limits: CacheLimits, *, keep: str) -> int:
        """Delete what is beyond the limits; return how many environments were deleted.

        Args:
            limits: of age and size.
            keep: key of the environment that was just built.
        """
        oldest_s = time.time() - limits.days * _DAY_S
        kept, deleted = 0, 0
        with contextlib.suppress(OSError):
            for entry in self.entries():
                size = sizes_of(entry.folder).own_bytes
                old = entry.used_s < oldest_s or kept + size > limits.gigabytes * _GB
                if old and entry.key != keep and self.remove(entry, entry.key):
                    deleted += 1
                else:
                    kept += size
            for key, entry in self.leftovers():
                if entry.used_s < oldest_s:
                    self.remove(entry, key)
        return deleted

    def _folders(self) -> list[Path]:
        return [path for path in self.folder.glob("*") if path.is_dir()]

    @contextlib.contextmanager
    def locked(self, key: str, *, patience_s: float = 0) -> Generator[bool]:
        """Lock an environment; yield False if another process keeps the lock for ``patience_s``.

        The system releases the lock of a process that is killed.

        Raises:
            OSError: the folder cannot be used.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{key}.lock").open("a") as file:
            yield _lock(file.fileno(), time.monotonic() + patience_s)


def _lock(descriptor: int, until_s: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until_s:
                return False
            time.sleep(0.05)
        else:
            return True
