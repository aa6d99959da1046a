"""Digests of folders that a run read, within a budget, and what differs in one now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wandb_repro.capture.dataset.data_files import (
    DataFile,
    digest_files,
    list_files,
    names_digest,
)
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFolder

_MOST_EACH = 1_000
"""Files with a digest of their own in a record: 30 kB of it."""

_MOST_WRITTEN = 1_000
_DIGITS = 16


@dataclass
class Budget:
    """What all folders of a run may take together, before training; used up by each."""

    bytes: int = 200_000_000
    seconds: float = 2.0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """Seconds until the time is used up; 0 if it is."""
        return max(0.0, self.started + self.seconds - time.monotonic())


def digest_folder(
    absolute: str, path: str, reason: str, budget: Budget, *, since: float
) -> InputFolder | None:
    """Return the record of a folder; None if the run itself wrote all of its files.

    Args:
        absolute: absolute path.
        path: as it is shown.
        reason: why the source tree does not hold it.
        budget: reduced by what is read; without any left, only names and sizes are digested.
        since: when the process started, seconds since 1970. Files that changed later are the
            run's own.

    Raises:
        DigestError: it holds no file, or too many to list.
        OSError: it cannot be read.
    """
    everything = list_files(Path(absolute), Limits(seconds=max(1.0, budget.seconds_left)))
    written = written_in(everything, since)
    files = [file for file in everything if file.label not in written]
    if not files:
        return None
    size_bytes = sum(file.status.st_size for file in files)
    digest, each = _content(absolute, files, size_bytes, written, budget)
    return InputFolder(
        path=path,
        absolute=absolute,
        count=len(files),
        size_bytes=size_bytes,
        digest=digest,
        reason=reason,
        names=_too_many(written) or names_digest(files),
        each=each,
        written=tuple(sorted(written)[:_MOST_WRITTEN]),
    )


def written_in(files: list[DataFile], since: float) -> frozenset[str]:
    """Return the paths of the files that changed after a time, seconds since 1970.

    The time of the last change of status counts: archives give their files old dates.
    """
    return frozenset(file.label for file in files if file.status.st_ctime > since)


def _too_many(written: frozenset[str]) -> Unavailable | None:
    if len(written) <= _MOST_WRITTEN:
        return None
    return Unavailable(unavailable=f"the run itself wrote {len(written):,} files into it")


def _content(
    absolute: str, files: list[DataFile], size_bytes: int, written: frozenset[str], budget: Budget
) -> tuple[str | Unavailable, dict[str, str]]:
    """Return the digest of the content, and the digits of each file, within the budget."""
    if reason := _too_many(written):
        return reason, {}
    if size_bytes > budget.bytes or not budget.seconds_left:
        why = f"only names and sizes: {megabytes(size_bytes)} are too much to read before training"
        return Unavailable(unavailable=why), {}
    cache = FileDigestCache()
    limits = Limits(seconds=budget.seconds_left)
    try:
        found = digest_files(absolute, limits, cache, without=written)
    except DigestError as error:
        return Unavailable(unavailable=f"only names and sizes: {error.message}"), {}
    finally:
        cache.close()
    budget.bytes -= size_bytes
    each = zip((file.label for file in files), found.each, strict=True)
    few = len(files) <= _MOST_EACH
    return found.digest, {label: digest[:_DIGITS] for label, digest in each} if few else {}


def folder_differences(folder: InputFolder, target: str, most: int = 5) -> str:
    """Return what differs between a recorded folder and the one at ``target``, in words.

    Empty if nothing does, as far as the record tells. A file whose bytes differ is named where the
    record has digests of each.

    Raises:
        DigestError: the folder cannot be read.
    """
    # A record may name a huge folder: more files than recorded need not be listed.
    limits = Limits(files=min(Limits().files, folder.count + len(folder.written) + 10_000))
    try:
        everything = list_files(Path(target), limits)
    except OSError as error:
        raise DigestError(f"{target}: {error.strerror or error}") from error
    files = [file for file in everything if file.label not in folder.written]
    names = names_digest(files)
    same_names = isinstance(folder.names, Unavailable) or names == folder.names
    if same_names and isinstance(folder.digest, Unavailable):
        return ""
    if not folder.each:
        if not same_names:
            return _counts(folder, files)
        found = _digest_now(folder, target)
        return "" if found == folder.digest else "files with the same names and sizes differ"
    return _listed(list(_each(folder, target, files)), most)


def _counts(folder: InputFolder, files: list[DataFile]) -> str:
    size_bytes = sum(file.status.st_size for file in files)
    if (len(files), size_bytes) == (folder.count, folder.size_bytes):
        return "names or sizes of files differ"
    return (
        f"{len(files):,} files with {size_bytes:,} bytes, "
        f"recorded with {folder.count:,} and {folder.size_bytes:,}"
    )


def _digest_now(folder: InputFolder, target: str) -> str:
    cache = FileDigestCache()
    try:
        found = digest_files(target, Limits(), cache, without=frozenset(folder.written))
        return found.digest
    finally:
        cache.close()


def _each(folder: InputFolder, target: str, files: list[DataFile]) -> Iterator[str]:
    cache = FileDigestCache()
    without = frozenset(folder.written)
    try:
        digests = digest_files(target, Limits(), cache, without=without).each if files else []
    finally:
        cache.close()
    now = {file.label: digest[:_DIGITS] for file, digest in zip(files, digests, strict=True)}
    for label in sorted({*now, *folder.each}):
        if label not in now:
            yield f"{label} is missing"
        elif label not in folder.each:
            yield f"{label} was not there"
        elif now[label] != folder.each[label]:
            yield f"{label} differs"


def _listed(differences: list[str], most: int) -> str:
    more = len(differences) - most
    return ", ".join(differences[:most]) + (f" and {more:,} more" if more > 0 else "")
