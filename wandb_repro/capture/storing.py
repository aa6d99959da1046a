"""Reads the chosen files at once, and stores them in a private repository when that is needed."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wandb_repro.capture.choice import Source, left_out
from wandb_repro.capture.contents import Content, Reader
from wandb_repro.capture.fast_import import SNAPSHOT_REF, borrow, import_files
from wandb_repro.capture.git import Git
from wandb_repro.capture.listing import Listing
from wandb_repro.capture.settled import settled
from wandb_repro.capture.tree import Entry, tree_id
from wandb_repro.errors import CodeError
from wandb_repro.manifest.code import LeftOut

__all__ = ["Storing"]

_HELD_BYTES = 64 * 1024 * 1024
"""Of new contents that wait in memory; with more, they are stored while they are read."""


class Storing:
    """The files of a tree: read when this is made, in git's hands after ``finish``.

    Storing takes git as long as all the rest together, and the script need not wait for it: what
    was read is known by its ids already.

    Args:
        private: repository to store in.
        root: folder of the tree.
        listing: of the tree.
        sources: files to take, in the order of their paths.

    Raises:
        CodeError: git fails.
    """

    def __init__(
        self, private: Git, root: Path, listing: Listing, sources: Sequence[Source]
    ) -> None:
        self._private = private
        self.sources = sources
        self._lock = threading.Lock()
        known = settled(root, listing, sources)
        self._reader = Reader(
            os.fsencode(root), listing.index, listing.head, known, listing.not_secret
        )
        self.refused: dict[bytes, LeftOut] = {}
        """Files that could not be read, or may not be stored."""
        borrow(private, listing.stores)
        self._held: list[Content] | None = self._held_contents()
        if self._held is None:
            self.entries = self._import(self._contents(self._reader))
        else:
            self.entries = {content.source.path: content.entry for content in self._held}
        self.tree = tree_id(self.entries)

    def _held_contents(self) -> list[Content] | None:
        """Return what was read; None where that is too much to hold."""
        held: list[Content] = []
        held_bytes = 0
        for content in self._contents(self._reader):
            held.append(content)
            held_bytes += len(content.data or b"")
            if held_bytes > _HELD_BYTES:
                self.refused.clear()
                return None
        return held

    def _contents(self, reader: Reader) -> Iterator[Content]:
        for content in reader.read(self.sources):
            if content is not None and content.problem:
                path, size_bytes = content.source[:2]
                self.refused[path] = left_out(path, size_bytes, content.problem)
            elif content is not None:
                yield content

    def finish(self) -> None:
        """Store what waits, once.

        Raises:
            CodeError: git fails, or holds another tree than the one that was read.
        """
        with self._lock:
            if self._held is not None:
                self._import(iter(self._held))
                self._held = None
        stored = self._private.run("rev-parse", "--verify", f"{SNAPSHOT_REF}^{{tree}}")
        if stored.decode().strip() != self.tree:
            raise CodeError("git stored another tree than the one that was read")

    def without(self, refused: Mapping[bytes, LeftOut]) -> Storing:
        """Return the files but for some; this one keeps them all."""
        with self._lock:
            held = self._held
        if held is None:
            held = [Content(one, self.entries[one.path], None) for one in self._taken()]
        rest = copy.copy(self)
        rest._lock = threading.Lock()
        rest._held = [content for content in held if content.source.path not in refused]
        rest.sources = [source for source in self.sources if source.path not in refused]
        rest.entries = {path: entry for path, entry in self.entries.items() if path not in refused}
        rest.refused = {**self.refused, **refused}
        rest.tree = tree_id(rest.entries)
        return rest

    def _taken(self) -> list[Source]:
        return [source for source in self.sources if source.path in self.entries]

    def _import(self, contents: Iterator[Content]) -> dict[bytes, Entry]:
        """Store contents; what the user's repository holds already is borrowed, if it does."""
        try:
            return import_files(self._private, contents)
        except CodeError:  # a partial clone, or a damaged one: then it is all read from disk
            borrow(self._private, ())
            whole = replace(self._reader, index={}, settled={})
            return import_files(self._private, self._contents(whole))
