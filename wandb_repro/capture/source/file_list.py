"""Lists the files of a source tree with git. Names are read here, never contents."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from wandb_repro.capture.source.git import Git, user_setting
from wandb_repro.capture.source.objects import GITLINK, Entry, readable
from wandb_repro.errors import CodeError, HungError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut


@dataclass
class Listing:
    """The files of a tree, including submodules and nested repositories.

    Paths are bytes, relative to the root, with slashes.
    """

    index: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    """Tracked files: mode and object id by path, from the index."""
    untracked: set[bytes] = field(default_factory=set[bytes])
    """Paths that are neither tracked nor ignored."""
    head: dict[bytes, Entry] = field(default_factory=dict[bytes, Entry])
    """Committed files: mode and object id by path; empty if there is no commit."""
    commit: str = ""
    """Commit id of HEAD, hexadecimal; empty if there is no commit."""
    stores: list[Path] = field(default_factory=list[Path])
    """Object stores (``.git/objects``) with the objects that the index names."""
    left_out: list[LeftOut] = field(default_factory=list[LeftOut])
    """Nested repositories that could not be listed."""
    places: list[tuple[Git, bytes]] = field(default_factory=list[tuple[Git, bytes]])
    """Each repository, or folder without one, that was listed, and its path with a slash."""
    not_secret: frozenset[bytes] = frozenset()
    """Files that the user declared not secret, even if they look like secrets."""
    ignoring: tuple[str, ...] = ()
    """Options that make git apply the user's own list of ignored files."""


def list_repository(top: Path, private: Git) -> Listing:
    """Return the files of the repository whose work tree is `top`.

    Args:
        top: absolute; holds ``.git``.
        private: repository for listing folders whose own repository is broken.

    Raises:
        CodeError: git cannot list it, for example because the index is corrupt.
        HungError: git does not finish in time.
    """
    listing = Listing(ignoring=_ignoring())
    _Lister(listing, private).add_repository(top, b"", "HEAD")
    return listing


def list_folder(top: Path, private: Git) -> Listing:
    """Return the files below a folder that is not a repository; all of them count as untracked.

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
        """Add a repository's files, each path after `prefix`; `commit` is its commit."""
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
            except CodeError:  # a damaged repository; its files can still be listed
                self.add_folder(folder, inside)
        else:
            self.add_folder(folder, inside)

    def _others(self, git: Git) -> list[bytes]:
        return git.names(*self.listing.ignoring, "ls-files", "--others", "--exclude-standard", "-z")


def _entries(lines: Iterable[bytes]) -> dict[bytes, Entry]:
    """Parse the lines of ``ls-files -s`` (mode, id, stage) or ``ls-tree -r`` (mode, type, id)."""
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
        return {}  # no commit yet, or a submodule that was never fetched


def _facts(git: Git, top: Path) -> tuple[tuple[Path, ...], str]:
    """Return the object store, unless its ids are not SHA-1, and the commit id of HEAD."""
    options = ("--show-object-format", "--git-path", "objects", "--revs-only", "HEAD")
    kind, store, *commit = os.fsdecode(git.run("rev-parse", *options)).split("\n")[:-1]
    return (top / store,) if kind == "sha1" else (), "".join(commit)


def _files(entries: dict[bytes, Entry], prefix: bytes) -> dict[bytes, Entry]:
    return {prefix + path: entry for path, entry in entries.items() if entry.mode != GITLINK}


def _gitlinks(entries: dict[bytes, Entry]) -> set[bytes]:
    return {path for path, entry in entries.items() if entry.mode == GITLINK}


def _nested(untracked: Iterable[bytes]) -> set[bytes]:
    return {path[:-1] for path in untracked if path.endswith(b"/")}
