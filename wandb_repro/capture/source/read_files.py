"""Reads the files of a tree as they are on disk, several at once and few in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.capture.source.limits import Source
from wandb_repro.capture.source.objects import LINK, Entry, blob_id
from wandb_repro.capture.unrecorded import never_record_this_thread
from wandb_repro.files import open_regular

__all__ = ["Content", "Reader"]

_BATCH_FILES, _BATCH_BYTES = 128, 4 * 1024 * 1024
_THREADS = 2
"""One reads while the other hashes; with more, on small files, they only wait for each other."""


class Content(NamedTuple):
    """One file as it was read."""

    source: Source
    entry: Entry
    data: bytes | None
    """Its bytes, unless git holds them already."""
    problem: str = ""
    """Why it is to be left out, if it is; then the rest means nothing."""


@dataclass(frozen=True)
class Reader:
    """Reads the files of one tree."""

    root: bytes
    index: Mapping[bytes, Entry]
    """Objects that git holds already: their bytes are not kept."""
    head: Mapping[bytes, Entry]
    """Files that are committed already: they are not searched for secrets."""
    settled: Mapping[bytes, Entry]
    """Files that need not be read."""
    not_secret: Collection[bytes] = ()
    """Files that are not searched either: their user says that they are no secrets."""

    def read(self, sources: Iterable[Source]) -> Iterator[Content | None]:
        """Yield each file's content in the order asked for; None for one that is gone."""
        with ThreadPoolExecutor(_THREADS, initializer=never_record_this_thread) as pool:
            waiting: deque[Future[list[Content | None]]] = deque()
            for batch in _batches(sources):
                waiting.append(pool.submit(self._read_batch, batch))
                if len(waiting) > _THREADS:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()

    def _read_batch(self, batch: Sequence[Source]) -> list[Content | None]:
        return [self._read(source) for source in batch]

    def _read(self, source: Source) -> Content | None:
        if source.path in self.settled:
            return Content(source, self.settled[source.path], None)
        try:
            data = _bytes_of(self.root + b"/" + source.path, source)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return _problem(source, f"it cannot be read: {error.strerror}")
        return self._content(source, data)

    def _content(self, source: Source, data: bytes) -> Content:
        entry = Entry(source.mode, blob_id(data))
        searched = source.path not in self.not_secret and not _holds(self.head, source.path, entry)
        if searched and (secret := secret_in_text(data, source.path)):
            return _problem(source, f"looks like a secret ({secret})")
        return Content(source, entry, None if _holds(self.index, source.path, entry) else data)


def _holds(entries: Mapping[bytes, Entry], path: bytes, entry: Entry) -> bool:
    known = entries.get(path)
    return known is not None and known.blob == entry.blob


def _problem(source: Source, reason: str) -> Content:
    return Content(source, Entry(source.mode, ""), None, reason)


def _bytes_of(path: bytes, source: Source) -> bytes:
    """Return a file's bytes, no more than it had when it was chosen: a log may be growing."""
    if source.mode == LINK:
        return os.readlink(path)  # noqa: PTH115  (a Path would tidy the text up)
    # Neither a link nor a pipe that came in its place since may lead away or hang.
    with open_regular(path, follow_links=False) as file:
        return file.read(source.size_bytes)


def _batches(sources: Iterable[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    size_bytes = 0
    for source in sources:
        batch.append(source)
        size_bytes += source.size_bytes
        if len(batch) == _BATCH_FILES or size_bytes > _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    yield batch
