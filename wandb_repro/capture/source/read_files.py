"""Reads the files of a tree from disk, in two threads, a few at a time in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.capture.source.limits import SourceFile
from wandb_repro.capture.source.objects import LINK, Entry, blob_id
from wandb_repro.capture.unrecorded import never_record_this_thread
from wandb_repro.files import open_regular

_BATCH_FILES, _BATCH_BYTES = 128, 4 * 1024 * 1024
_THREADS = 2
"""One reads while the other hashes; on small files more threads only wait for each other."""


class Content(NamedTuple):
    """The content of one file."""

    source: SourceFile
    entry: Entry
    data: bytes | None
    """Its bytes; None if git has them already."""
    problem: str = ""
    """Why it is left out; empty if it is not. With a problem, only ``source`` is valid."""


@dataclass(frozen=True)
class Reader:
    """Reads the files of one tree."""

    root: bytes
    index: Mapping[bytes, Entry]
    """Files whose objects git already has: their bytes are not kept."""
    head: Mapping[bytes, Entry]
    """Committed files: searched for secrets later, in the background."""
    unchanged: Mapping[bytes, Entry]
    """Files that need not be read."""
    not_secret: Collection[bytes] = ()
    """Files that the user declared not secret: they are not searched."""

    def read(self, sources: Iterable[SourceFile]) -> Iterator[Content | None]:
        """Yield each file's content, in the given order; None for a file that is gone."""
        with ThreadPoolExecutor(_THREADS, initializer=never_record_this_thread) as pool:
            waiting: deque[Future[list[Content | None]]] = deque()
            for batch in _batches(sources):
                waiting.append(pool.submit(self._read_batch, batch))
                if len(waiting) > _THREADS:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()

    def _read_batch(self, batch: Sequence[SourceFile]) -> list[Content | None]:
        return [self._read(source) for source in batch]

    def _read(self, source: SourceFile) -> Content | None:
        if source.path in self.unchanged:
            return Content(source, self.unchanged[source.path], None)
        try:
            data = _bytes_of(self.root + b"/" + source.path, source)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return _problem(source, f"it cannot be read: {error.strerror}")
        return self._content(source, data)

    def _content(self, source: SourceFile, data: bytes) -> Content:
        entry = Entry(source.mode, blob_id(data))
        search = source.path not in self.not_secret and not _has(self.head, source.path, entry)
        if search and (secret := secret_in_text(data, source.path)):
            return _problem(source, f"looks like a secret ({secret})")
        return Content(source, entry, None if _has(self.index, source.path, entry) else data)


def _has(entries: Mapping[bytes, Entry], path: bytes, entry: Entry) -> bool:
    known = entries.get(path)
    return known is not None and known.blob == entry.blob


def _problem(source: SourceFile, reason: str) -> Content:
    return Content(source, Entry(source.mode, ""), None, reason)


def _bytes_of(path: bytes, source: SourceFile) -> bytes:
    """Return a file's bytes, at most as many as when it was listed: a log may be growing."""
    if source.mode == LINK:
        return os.readlink(path)  # noqa: PTH115  (a Path would normalise the text)
    # The file may have been replaced since: a link must not lead elsewhere, a pipe must not hang.
    with open_regular(path, follow_links=False) as file:
        return file.read(source.size_bytes)


def _batches(sources: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    batch: list[SourceFile] = []
    size_bytes = 0
    for source in sources:
        batch.append(source)
        size_bytes += source.size_bytes
        if len(batch) == _BATCH_FILES or size_bytes > _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    yield batch
