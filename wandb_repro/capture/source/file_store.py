"""The files of a snapshot: read from the work tree, stored in a private git repository."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wandb_repro.capture.source.bundle import SNAPSHOT_REF, borrow, import_files
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.git import Git
from wandb_repro.capture.source.limits import SourceFile, left_out
from wandb_repro.capture.source.objects import Entry, tree_id
from wandb_repro.capture.source.read_files import Content, Reader
from wandb_repro.capture.source.unchanged import unchanged_files
from wandb_repro.errors import CodeError
from wandb_repro.manifest.code import LeftOut

_MEMORY_BYTES = 64 * 1024 * 1024
"""Up to this size new contents wait in memory; beyond it they are stored while they are read."""


class FileStore:
    """The files of a tree: read by the constructor, stored in git by :meth:`finish`.

    Storing takes as long as everything else together. The script does not wait for it, since the
    ids of the files are known once they are read.

    Attributes:
        entries: mode and git id of each file that was read, by path.
        tree: git's id of the tree, hexadecimal.
        refused: files that could not be read, or may not be stored.

    Args:
        private: repository to store in.
        root: folder of the tree.
        listing: of the tree.
        sources: files to read, in the order of their paths.

    Raises:
        CodeError: git fails.
    """

    def __init__(
        self, private: Git, root: Path, listing: Listing, sources: Sequence[SourceFile]
    ) -> None:
        self._private = private
        self.sources = sources
        self._lock = threading.Lock()
        unchanged = unchanged_files(root, listing, sources)
        self._reader = Reader(
            os.fsencode(root), listing.index, listing.head, unchanged, listing.not_secret
        )
        self.refused: dict[bytes, LeftOut] = {}
        borrow(private, listing.stores)
        self._waiting = self._read_into_memory()
        if self._waiting is None:
            self.entries = self._import(self._contents(self._reader))
        else:
            self.entries = {content.source.path: content.entry for content in self._waiting}
        self.tree = tree_id(self.entries)

    def _read_into_memory(self) -> list[Content] | None:
        """Return the files' contents; None if they are too large for memory."""
        waiting: list[Content] = []
        size_bytes = 0
        for content in self._contents(self._reader):
            waiting.append(content)
            size_bytes += len(content.data or b"")
            if size_bytes > _MEMORY_BYTES:
                self.refused.clear()
                return None
        return waiting

    def _contents(self, reader: Reader) -> Iterator[Content]:
        for content in reader.read(self.sources):
            if content is not None and content.problem:
                path, size_bytes = content.source[:2]
                self.refused[path] = left_out(path, size_bytes, content.problem)
            elif content is not None:
                yield content

    def finish(self) -> None:
        """Store the files that are not stored yet; a second call changes nothing.

        Raises:
            CodeError: git fails, or the stored tree differs from the one that was read.
        """
        with self._lock:
            if self._waiting is not None:
                self._import(iter(self._waiting))
                self._waiting = None
        stored = self._private.run("rev-parse", "--verify", f"{SNAPSHOT_REF}^{{tree}}")
        if stored.decode().strip() != self.tree:
            raise CodeError("the tree that git stored differs from the one that was read")

    def without(self, refused: Mapping[bytes, LeftOut]) -> FileStore:
        """Return a store without some of the files; its ``refused`` names them.

        This store keeps them.
        """
        with self._lock:
            contents = self._waiting
        if contents is None:
            contents = [
                Content(source, self.entries[source.path], None)
                for source in self.sources
                if source.path in self.entries
            ]
        rest = copy.copy(self)
        rest._lock = threading.Lock()
        rest._waiting = [content for content in contents if content.source.path not in refused]
        rest.sources = [source for source in self.sources if source.path not in refused]
        rest.entries = {path: entry for path, entry in self.entries.items() if path not in refused}
        rest.refused = {**self.refused, **refused}
        rest.tree = tree_id(rest.entries)
        return rest

    def _import(self, contents: Iterator[Content]) -> dict[bytes, Entry]:
        """Store contents; objects in the user's repository are borrowed from it."""
        try:
            return import_files(self._private, contents)
        except CodeError:
            # A partial clone or damaged repository lacks objects that its index names.
            borrow(self._private, ())
            read_all = replace(self._reader, index={}, unchanged={})
            return import_files(self._private, self._contents(read_all))
