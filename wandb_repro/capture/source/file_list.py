"""Which of the listed files can be code at all: not W&B's own, not what tools fill anew.

Which files a source tree has, as git sees it. Only names are read here, never contents.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from wandb_repro.capture.source.git import Git, user_setting
from wandb_repro.capture.source.objects import GITLINK, Entry, readable
from wandb_repro.errors import CodeError, HungError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut

__all__ = ["Excluded", "Listing", "candidates", "is_refilled", "list_folder", "list_repository"]


_REFILLED = (b"__pycache__", b"node_modules")
"""Folders that tools fill anew; untracked, they would make equal trees differ."""
_WANDB = (b"wandb", b".wandb")
_RUN_FILES = ("latest-run", "debug.log")


def candidates(
    root: Path, listing: Listing, exclude: Sequence[Path]
) -> Iterator[tuple[bytes, bool]]:
    """Yield each path with whether it is tracked, tracked ones first."""
    ours = Excluded(root, exclude)
    for path in sorted(listing.index):
        if not ours.holds(path):
            yield path, True
    environments = _environments(listing.untracked)
    for path in sorted(listing.untracked.difference(listing.index)):
        if not (ours.holds(path) or is_refilled(path) or path.startswith(environments)):
            yield path, False


def _environments(paths: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the folders that are virtual environments, each with its slash."""
    mark = b"pyvenv.cfg"
    return tuple(path[: -len(mark)] for path in paths if path.endswith(b"/" + mark))


def is_refilled(path: bytes) -> bool:
    """Tell whether a path lies in a folder that tools fill anew."""
    return any(name in path and name in path.split(b"/")[:-1] for name in _REFILLED)


class Excluded:
    """Folders that are no part of the code: those named by the caller, and W&B's own."""

    def __init__(self, root: Path, exclude: Sequence[Path]) -> None:
        self._root = root
        self._named = tuple(
            os.fsencode(folder.relative_to(root)) + b"/"
            for folder in map(_resolved, exclude)
            if folder != root and folder.is_relative_to(root)
        )
        self._known: dict[bytes, bool] = {}

    def holds(self, path: bytes) -> bool:
        """Tell whether a path lies in one of them."""
        if path.startswith(self._named):
            return True
        return b"wandb/" in path and any(map(self._is_wandb, _wandb_folders(path)))

    def _is_wandb(self, folder: bytes) -> bool:
        if folder not in self._known:
            self._known[folder] = _holds_runs(self._root / os.fsdecode(folder))
        return self._known[folder]


def _resolved(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def _wandb_folders(path: bytes) -> Iterator[bytes]:
    names = path.split(b"/")[:-1]
    for depth, name in enumerate(names, start=1):
        if name in _WANDB:
            yield b"/".join(names[:depth])


def _holds_runs(folder: Path) -> bool:
    try:
        names = [file.name for file in folder.iterdir()]
    except OSError:
        return False
    return any(name.startswith(("run-", "offline-run-")) or name in _RUN_FILES for name in names)


@dataclass
class Listing:
    """The files of a tree, submodules and nested repositories flattened into it."""

    index: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    """Tracked paths, with what the index holds for each."""
    untracked: set[bytes] = field(default_factory=set[bytes])
    """Paths that are neither tracked nor ignored."""
    head: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    """What HEAD holds; empty where there is no commit."""
    commit: str = ""
    """HEAD; empty where there is no commit."""
    stores: list[Path] = field(default_factory=list[Path])
    """Folders that hold the objects the index speaks of."""
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    """Nested repositories that could not be listed."""
    places: list[tuple[Git, bytes]] = field(default_factory=list[tuple[Git, bytes]])
    """Each repository, and folder without one, that was listed, and its path, with a slash."""
    not_secret: frozenset[bytes] = frozenset()
    """Paths of files that are no secret, whatever they look like: their user says so."""
    ignoring: tuple[str, ...] = ()
    """The option of git that keeps what the user ignores everywhere out of the snapshot."""


def list_repository(top: Path, private: Git) -> Listing:
    """Return the files of the repository whose work tree is `top`.

    Args:
        top: absolute; holds ``.git``.
        private: repository to list folders with whose own one is broken.

    Raises:
        CodeError: git cannot list it, such as with a corrupt index.
    """
    listing = Listing(ignoring=_ignoring())
    _Lister(listing, private).add_repository(top, b"", "HEAD")
    return listing


def list_folder(top: Path, private: Git) -> Listing:
    """Return the files below a folder that is no repository; all of them count as untracked.

    Raises:
        CodeError: git cannot list it.
    """
    listing = Listing(ignoring=_ignoring())
    _Lister(listing, private).add_folder(top, b"")
    return listing


def _ignoring() -> tuple[str, ...]:
    file = user_setting("core.excludesFile")
    return ("-c", f"core.excludesFile={file}") if file else ()


@dataclass(frozen=True)
class _Lister:
    listing: Listing
    private: Git

    def add_repository(self, top: Path, prefix: bytes, commit: str) -> None:
        """Add a repository's files, `prefix` before each path; `commit` is what they should be."""
        git = Git(top / ".git", work_tree=top)
        with ThreadPoolExecutor(4) as pool:
            index = pool.submit(git.names, "ls-files", "-s", "-z")
            others = pool.submit(self._others, git)
            head = pool.submit(_committed, git, commit)
            facts = pool.submit(_facts, git, top)
        listed, committed = _entries(index.result()), head.result()
        untracked = others.result()
        stores, found = facts.result()
        self.listing.places.append((git, prefix))
        self.listing.commit = self.listing.commit or found
        self.listing.stores.extend(stores)
        self.listing.index.update(_files(listed, prefix))
        self.listing.head.update(_files(committed, prefix))
        self.listing.untracked.update(prefix + path for path in untracked if path[-1:] != b"/")
        for path in sorted(_gitlinks(listed) | _nested(untracked)):
            pinned = committed.get(path)
            self._add_nested(top, prefix, path, pinned.blob if pinned else "")

    def add_folder(self, top: Path, prefix: bytes) -> None:
        """Add the files of a folder that git itself cannot list."""
        git = Git(self.private.git_dir, work_tree=top)
        untracked = self._others(git)
        self.listing.places.append((git, prefix))
        self.listing.untracked.update(prefix + path for path in untracked if path[-1:] != b"/")
        for path in sorted(_nested(untracked)):
            self._add_nested(top, prefix, path, "")

    def _add_nested(self, top: Path, prefix: bytes, path: bytes, commit: str) -> None:
        folder, inside = top / os.fsdecode(path), prefix + path + b"/"
        if not folder.is_dir() or folder.is_symlink():
            return
        try:
            self._add_either(folder, inside, commit)
        except HungError:
            raise
        except CodeError as error:
            size = Unavailable(unavailable="it was not looked into")
            reason = f"a repository inside that git cannot list: {error.message}"
            self.listing.left_out.append(
                LeftOut(path=readable(inside), size_bytes=size, reason=reason)
            )

    def _add_either(self, folder: Path, inside: bytes, commit: str) -> None:
        if (folder / ".git").exists():
            try:
                self.add_repository(folder, inside, commit)
            except HungError:
                raise
            except CodeError:  # a damaged one; its files are there all the same
                self.add_folder(folder, inside)
        else:
            self.add_folder(folder, inside)

    def _others(self, git: Git) -> list[bytes]:
        return git.names(*self.listing.ignoring, "ls-files", "--others", "--exclude-standard", "-z")


def _entries(lines: Iterable[bytes]) -> dict[bytes, Entry]:
    """Return what ``ls-files -s`` (mode, id, stage) or ``ls-tree -r`` (mode, type, id) told."""
    entries: dict[bytes, Entry] = {}
    for line in lines:
        facts, _, path = line.partition(b"\t")
        mode, second, third = facts.split(b" ")
        entries[path] = Entry(mode, (second if len(third) == 1 else third).decode())
    return entries


def _committed(git: Git, commit: str) -> dict[bytes, Entry]:
    if not commit:
        return {}
    try:
        return _entries(git.names("ls-tree", "-r", "-z", "--full-tree", commit))
    except HungError:
        raise
    except CodeError:
        return {}  # no commit yet, or a submodule that was never fetched so far


def _facts(git: Git, top: Path) -> tuple[tuple[Path, ...], str]:
    """Return where the objects are, unless their ids are of another kind than ours, and HEAD."""
    asked = ("--show-object-format", "--git-path", "objects", "--revs-only", "HEAD")
    kind, store, *commit = os.fsdecode(git.run("rev-parse", *asked)).split("\n")[:-1]
    return (top / store,) if kind == "sha1" else (), "".join(commit)


def _files(entries: dict[bytes, Entry], prefix: bytes) -> dict[bytes, Entry]:
    return {prefix + path: entry for path, entry in entries.items() if entry.mode != GITLINK}


def _gitlinks(entries: dict[bytes, Entry]) -> set[bytes]:
    return {path for path, entry in entries.items() if entry.mode == GITLINK}


def _nested(untracked: Iterable[bytes]) -> set[bytes]:
    return {path[:-1] for path in untracked if path.endswith(b"/")}
