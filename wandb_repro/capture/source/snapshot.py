"""A snapshot of the source tree: the files' bytes on disk, without any filter.

Files are read from disk, unless git's index shows that they are unchanged (``unchanged.py``), and
stored in a private bare repository that borrows the user's objects. Git runs no hook, filter,
monitor or diff program of the user, takes no lock and changes nothing.

A snapshot has no empty folders, none of W&B's folders, and no untracked ``__pycache__``,
``node_modules`` and virtual environments. :meth:`Snapshot.all_left_out` names all other missing
files. History, owners, times, extended attributes and permissions other than "executable" are lost.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wandb_repro.capture.lazy import lazy
from wandb_repro.capture.source.bundle import write_bundle
from wandb_repro.capture.source.dirty import shortened
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.file_store import FileStore
from wandb_repro.capture.source.git import Git
from wandb_repro.capture.source.ignored import Bounds, excluded_files, ignored_files, with_digests
from wandb_repro.capture.source.objects import Entry, readable
from wandb_repro.capture.source.repository import read_state
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code, GitState, LeftOut

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Snapshot:
    """A source tree in a private repository, which :meth:`close` deletes.

    It does not change, so one thread may write the bundle while others read.
    """

    root: Path
    """Folder of the tree, absolute, links resolved."""
    left_out: tuple[LeftOut, ...]
    """Files that are missing because of a limit or their kind."""
    dirty: bool | Unavailable
    """Whether it differs from HEAD's tree, untracked files included."""
    changed: tuple[str, ...]
    """Paths that differ, at most 1,000."""
    commit: str
    """Commit id of HEAD when the snapshot was taken; empty if there was none."""
    no_repository: str
    """Why the tree does not count as a git repository; empty if it does."""
    folder: Path
    """Folder of the private repository."""
    store: FileStore
    """The files that were read; they may not be stored yet."""
    listing: Listing
    excluded: frozenset[bytes]
    """Paths that the user excluded."""
    exclude: tuple[Path, ...]
    """Absolute folders that are not part of the code."""

    @property
    def tree(self) -> str:
        """Git's id of the tree, hexadecimal: the identity of the code."""
        return self.store.tree

    @property
    def entries(self) -> Mapping[bytes, Entry]:
        """Mode and git id of every file, by path relative to the root."""
        return self.store.entries

    @lazy
    def private(self) -> Git:
        """The repository with all objects; the first access stores them, which may take seconds.

        Raises:
            CodeError: git cannot store them.
        """
        self.store.finish()
        return Git(self.folder)

    @property
    def objects(self) -> Git:
        """The repository with the user's own objects, and all of them after :attr:`private`."""
        return Git(self.folder)

    @property
    def files(self) -> int:
        """Number of files."""
        return len(self.entries)

    @lazy
    def git(self) -> GitState | Unavailable:
        """Commit, branch and remote. The first access imports GitPython (0.2 s)."""
        if self.no_repository:
            return Unavailable(unavailable=self.no_repository)
        return read_state(self.root, commit=self.commit, dirty=self.dirty, changed=self.changed)

    def paths(self) -> frozenset[str]:
        """Return every file's path, POSIX, relative to the root, decoded by ``os.fsdecode``."""
        return frozenset(map(os.fsdecode, self.entries))

    def write_bundle(self, destination: Path) -> BundleFile:
        """Write the tree as one git bundle that needs no other repository, and read it back.

        Raises:
            CodeError: git fails, or the bundle cannot be written.
        """
        return write_bundle(self.private, destination)

    def without(self, refused: Mapping[bytes, LeftOut]) -> Snapshot:
        """Return the snapshot without some files; its record names them as left out."""
        named = (*self.left_out, *(refused[path] for path in sorted(refused)))
        return replace(self, store=self.store.without(refused), left_out=named)

    def all_left_out(self, bounds: Bounds = Bounds()) -> tuple[LeftOut, ...]:  # noqa: B008
        """Return everything that is not in the snapshot, with digests.

        That includes ignored and excluded files. It takes up to some seconds: call it in a
        background thread.
        """
        ignored = ignored_files(self.root, self.listing, self.exclude, bounds)
        digested = with_digests(self.root, [*self.left_out, *ignored], bounds)
        count = len(self.left_out)
        excluded = excluded_files(self.root, self.excluded)
        return shortened([*digested[:count], *excluded, *digested[count:]])

    def record(
        self,
        bundle: BundleFile | Unavailable,
        *,
        git: GitState | Unavailable | None = None,
        left_out: Sequence[LeftOut] | None = None,
    ) -> Code:
        """Return the manifest's record of the code.

        Args:
            bundle: the file that holds the code.
            git: state of the repository; by default it is read.
            left_out: files that are not in the snapshot; by default those known without reading.
        """
        return Code(
            root=readable(os.fsencode(self.root)),
            tree=self.tree,
            files=self.files,
            bundle=bundle,
            git=self.git if git is None else git,
            left_out=shortened(self.left_out if left_out is None else left_out),
        )

    def close(self) -> None:
        """Delete the private repository; nothing can be written afterwards."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
