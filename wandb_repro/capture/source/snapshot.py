"""Reads the chosen files at once, and stores them in a private repository when that is needed.

One snapshot of the source tree: byte for byte, through no filter, the user's own untouched.

The files are read as they are on disk, but for those that git's index vouches for
(``settled.py``), and stored in a private bare repository that borrows the user's objects. Git runs
no hook, filter, monitor or diff program of the user for that, takes no lock and writes nothing of
theirs.

Not in a snapshot: empty folders, W&B's own folders, and, unless tracked, ``__pycache__``,
``node_modules`` and virtual environments. What else is missing, ignored files too, is named in
:meth:`Snapshot.all_left_out`. Lost are the history, owners, times, extended attributes, and all
permission bits but one (executable).
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wandb_repro.capture.source.bundle import SNAPSHOT_REF, borrow, import_files, write_bundle
from wandb_repro.capture.source.dirty import difference, shortened
from wandb_repro.capture.source.file_list import Listing, list_folder, list_repository
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.capture.source.ignored import Bounds, digested, excluded_files, ignored_files
from wandb_repro.capture.source.include_exclude import Selection, select
from wandb_repro.capture.source.limits import Limits, Source, choose, left_out
from wandb_repro.capture.source.objects import Entry, readable, tree_id
from wandb_repro.capture.source.read_files import Content, Reader
from wandb_repro.capture.source.repository import read_state
from wandb_repro.capture.source.root import refuse_as_root, repository_top
from wandb_repro.capture.source.unchanged import settled
from wandb_repro.errors import CodeError, HungError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code, GitState, LeftOut

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Limits", "Snapshot", "Storing", "take_snapshot"]


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


def take_snapshot(
    start: Path,
    *,
    exclude: Sequence[Path] = (),
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    selection: Selection = Selection(),  # noqa: B008
    scratch: Path | None = None,
) -> Snapshot:
    """Return the source tree that `start` belongs to, as it is at this moment.

    Args:
        start: the script's folder, or the working directory. The tree is that of its
            repository, or `start` itself where there is none or git cannot list it.
        exclude: absolute folders that are no part of the code, such as where W&B writes.
        limits: what is over them is left out.
        selection: which part of the tree is wanted.
        scratch: where the private repository is made; by default the system's place for such.

    Raises:
        CodeError: there is no git, the folder is none that holds code only (such as the home
            folder), or it cannot be read.
    """
    start = Path(os.path.realpath(start))
    folder = Path(tempfile.mkdtemp(prefix="wandb-repro-", dir=scratch))
    try:
        return _taken(start, folder, exclude, limits, selection)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CodeError(f"the source tree cannot be read: {error}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _taken(
    start: Path, folder: Path, exclude: Sequence[Path], limits: Limits, selection: Selection
) -> Snapshot:
    private = private_repository(folder)
    root, listing, no_repository = _listed(start, private)
    listing, excluded = select(private, root, listing, selection)
    sources, refused = choose(root, listing, exclude, limits)
    storing = Storing(private, root, listing, sources)
    refused |= storing.refused
    if no_repository:
        dirty, changed = Unavailable(unavailable=no_repository), ()
    else:
        dirty, changed = difference(root, listing, storing.entries, refused)
    return Snapshot(
        root=root,
        folder=folder,
        storing=storing,
        dirty=dirty,
        changed=changed,
        commit=listing.commit,
        no_repository=no_repository,
        left_out=(*listing.left_out, *(refused[path] for path in sorted(refused))),
        listing=listing,
        excluded=excluded,
        exclude=tuple(exclude),
    )


def _listed(start: Path, private: Git) -> tuple[Path, Listing, str]:
    """Return the root, its files, and why it counts as no repository, if it does."""
    top = repository_top(start)
    reason = "the code is in no git repository"
    if top is not None:
        try:
            return top, list_repository(top, private), ""
        except HungError:
            raise
        except CodeError as error:
            reason = f"git cannot list the repository: {error.message}"
    root = top or start
    refuse_as_root(root)
    return root, list_folder(root, private), reason


@dataclass(frozen=True)
class Snapshot:
    """A source tree, held in a private repository until :meth:`close`.

    Nothing of it changes, so one thread may write the bundle while others ask.
    """

    root: Path
    """The folder that was recorded, absolute, links resolved."""
    left_out: tuple[LeftOut, ...]
    """What would be in the snapshot, but for a limit or what it is."""
    dirty: bool | Unavailable
    """Whether it differs from HEAD's tree, untracked files included."""
    changed: tuple[str, ...]
    """In which paths, at most 1,000."""
    commit: str
    """HEAD when the snapshot was taken; empty where there was none."""
    no_repository: str
    """Why the tree counts as no git repository; empty when it is one."""
    folder: Path
    """Of the private repository."""
    storing: Storing
    """The files, read already and perhaps not yet stored."""
    listing: Listing
    excluded: frozenset[bytes]
    """What its user does not want in it."""
    exclude: tuple[Path, ...]
    """Absolute folders that are no part of the code."""

    @property
    def tree(self) -> str:
        """Git tree id: the identity of the code."""
        return self.storing.tree

    @property
    def entries(self) -> Mapping[bytes, Entry]:
        """Every file, by its path as the disk has it."""
        return self.storing.entries

    @cached_property
    def private(self) -> Git:
        """Holds the objects, or borrows them; storing them costs what it costs when first asked.

        Raises:
            CodeError: git cannot store them.
        """
        self.storing.finish()
        return Git(self.folder)

    @property
    def objects(self) -> Git:
        """Holds what the user's repositories hold, and more only when :attr:`private` was asked."""
        return Git(self.folder)

    @property
    def files(self) -> int:
        """How many files it holds."""
        return len(self.entries)

    @cached_property
    def git(self) -> GitState | Unavailable:
        """What the repository says of itself; costs the import of GitPython when first asked."""
        if self.no_repository:
            return Unavailable(unavailable=self.no_repository)
        return read_state(self.root, commit=self.commit, dirty=self.dirty, changed=self.changed)

    def paths(self) -> frozenset[str]:
        """Return every file's path, POSIX, relative to the root, as ``os.fsdecode`` gives it."""
        return frozenset(map(os.fsdecode, self.entries))

    def write_bundle(self, destination: Path) -> BundleFile:
        """Write the tree as one git bundle that needs nothing else, and read it back.

        What was not stored so far is stored first.

        Raises:
            CodeError: git fails, or the disk does not take it.
        """
        return write_bundle(self.private, destination)

    def without(self, refused: Mapping[bytes, LeftOut]) -> Snapshot:
        """Return the same snapshot but for some of its files, which its record then names."""
        named = (*self.left_out, *(refused[path] for path in sorted(refused)))
        return replace(self, storing=self.storing.without(refused), left_out=named)

    def all_left_out(self, bounds: Bounds = Bounds()) -> tuple[LeftOut, ...]:  # noqa: B008
        """Return all that is not in the snapshot, with digests, ignored and excluded files too.

        Takes seconds at most, and those are seconds of reading: it is for a thread beside.
        """
        ignored = ignored_files(self.root, self.listing, self.exclude, bounds)
        known = digested(self.root, [*self.left_out, *ignored], bounds)
        named = len(self.left_out)
        excluded = excluded_files(self.root, self.excluded)
        return shortened([*known[:named], *excluded, *known[named:]])

    def record(
        self,
        bundle: BundleFile | Unavailable,
        *,
        git: GitState | Unavailable | None = None,
        left_out: Sequence[LeftOut] | None = None,
    ) -> Code:
        """Return what the manifest says of the code.

        Args:
            bundle: where its bytes are.
            git: the repository's notes, or why they are not there; None reads them.
            left_out: what is not in it; None for what is known at once.
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
        """Remove the private repository; nothing can be written after."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
