"""Digests of folders that a run read, within a budget, and what differs in one now."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from wandb_repro.capture.dataset.data_files import (
    DataFile,
    digest_each,
    names_digest,
    root_of,
)
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.limits import Limits, megabytes
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFolder

_MOST_EACH = 1_000
"""Files with a digest of their own in a record: 30 kB of it."""

MOST_WRITTEN = 1_000
"""Files that the run itself wrote and that are named; of more, no content is recorded."""

DIGITS = 16
"""Of the digest of each file."""


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
    absolute: str,
    path: str,
    reason: str,
    budget: Budget,
    *,
    since: float,
    found: list[DataFile],
    gone: frozenset[str] = frozenset(),
) -> InputFolder | None:
    """Return the record of a folder; None if the run itself wrote all of its files.

    Args:
        absolute: absolute path.
        path: as it is shown.
        reason: why the source tree does not hold it.
        budget: reduced by what is read; without any left, only names and sizes are digested.
        since: when the process started, seconds since 1970. Files that changed later are the
            run's own.
        found: its files, sorted.
        gone: files that the run deleted: they count as written.
    """
    written = written_in(found, since) | gone
    files = [file for file in found if file.label not in written]
    if not files and not gone:
        return None
    size_bytes = sum(file.status.st_size for file in files)
    digest, each = _content(files, size_bytes, written, budget)
    return InputFolder(
        path=path,
        absolute=absolute,
        count=len(files),
        size_bytes=size_bytes,
        digest=digest,
        reason=reason,
        names=_too_many(written) or names_digest(files),
        each=each,
        written=tuple(sorted(written)[:MOST_WRITTEN]),
    )


def unknown_folder(absolute: str, path: str, reason: str, why: str) -> InputFolder:
    """Return the record of a folder that cannot be read, or not in time."""
    unknown = Unavailable(unavailable=why)
    return InputFolder(
        path=path,
        absolute=absolute,
        count=0,
        size_bytes=0,
        digest=unknown,
        reason=reason,
        names=unknown,
    )


def written_in(files: list[DataFile], since: float) -> frozenset[str]:
    """Return the paths of the files that changed after a time, seconds since 1970.

    The time of the last change of status counts: archives give their files old dates.
    """
    return frozenset(file.label for file in files if file.status.st_ctime > since)


def _too_many(written: frozenset[str]) -> Unavailable | None:
    if len(written) <= MOST_WRITTEN:
        return None
    return Unavailable(unavailable=f"the run itself wrote {len(written):,} files into it")


def _content(
    files: list[DataFile], size_bytes: int, written: frozenset[str], budget: Budget
) -> tuple[str | Unavailable, dict[str, str]]:
    """Return the digest of the content, and the digits of each file, within the budget."""
    if reason := _too_many(written):
        return reason, {}
    if not files:
        why = "the run itself changed or deleted all of its files"
        return Unavailable(unavailable=why), {}
    if size_bytes > budget.bytes:
        why = f"only names and sizes: {megabytes(size_bytes)} are too much to read before training"
        return Unavailable(unavailable=why), {}
    if not budget.seconds_left:
        why = "only names and sizes: the time to read folders before training was used up"
        return Unavailable(unavailable=why), {}
    cache = FileDigestCache()
    try:
        digests = digest_each(files, Limits(seconds=budget.seconds_left), cache)
    except DigestError as error:
        return Unavailable(unavailable=f"only names and sizes: {error.message}"), {}
    finally:
        cache.close()
    budget.bytes -= size_bytes
    few = len(files) <= _MOST_EACH
    each = {file.label: digest[:DIGITS] for file, digest in zip(files, digests, strict=True)}
    return root_of(files, digests), each if few else {}
