"""Files that need not be read: git's index vouches that they are as they were committed.

An entry of the index holds the times and the size that the file had when git read or wrote it. A
file that still has them all is taken to have the same bytes, as git itself takes it, and only
where nothing converts files on the way between the work tree and the objects.

Files whose bytes are not the committed ones because git itself changed them on the way.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.git import Git, user_setting
from wandb_repro.capture.source.limits import Source, Stamp
from wandb_repro.capture.source.objects import LINK, Entry
from wandb_repro.errors import CodeError

__all__ = ["converted", "index_stamps", "settled"]


_STAMP = re.compile(rb"ctime: (\d+):(\d+)\n\s*mtime: (\d+):(\d+)\n.*?size: (\d+)\t", re.DOTALL)
_CONVERTING = re.compile(rb"^core\.(autocrlf|eol|attributesfile)\n", re.MULTILINE)
_USERS = ("core.autocrlf", "core.eol", "core.attributesFile")
_SHA1_DIGITS = 40
"""A repository of another kind knows its files by ids that are not ours."""
_SYSTEM_ATTRIBUTES = "/etc/gitattributes"


def settled(root: Path, listing: Listing, sources: Sequence[Source]) -> dict[bytes, Entry]:
    """Return what the objects of unread files are, by path.

    Args:
        root: the work tree; holds ``.git``.
        listing: of the tree.
        sources: with the stamps that the disk has now.
    """
    try:
        return _settled(root, listing, sources)
    except (CodeError, OSError):  # a linked work tree, or no repository: then all is read
        return {}


def _settled(root: Path, listing: Listing, sources: Sequence[Source]) -> dict[bytes, Entry]:
    written_ns = (root / ".git" / "index").stat().st_mtime_ns
    git = Git(root / ".git", work_tree=root)
    with ThreadPoolExecutor(len(_USERS) + 3) as pool:
        committed = pool.submit(git.names, "ls-tree", "-r", "-l", "-z", "--full-tree", "HEAD")
        told = pool.submit(git.run, "ls-files", "--debug", "-z")
        own = pool.submit(git.run, "config", "--list", "-z")
        users = [pool.submit(user_setting, name) for name in _USERS]
    if _converts(root, listing, own.result(), [setting.result() for setting in users]):
        return {}
    stamps, sizes = index_stamps(told.result()), _sizes(committed.result())
    return {
        source.path: Entry(source.mode, listing.index[source.path].blob)
        for source in sources
        if _vouched(source, listing, stamps, written_ns)
        and sizes.get(source.path) == source.size_bytes
    }


def _sizes(lines: Iterable[bytes]) -> dict[bytes, int]:
    """Return the size of each committed object, in bytes; none for one that git lacks."""
    parts = (line.partition(b"\t") for line in lines)
    told = ((path, facts.split()[-1]) for facts, _, path in parts)
    return {path: int(size) for path, size in told if size.isdigit()}


def _vouched(source: Source, listing: Listing, stamps: dict[bytes, Stamp], written_ns: int) -> bool:
    """Tell whether a file is committed, and has been left alone since.

    One changed in the very moment in which the index was written bears the same times.
    """
    known = listing.index.get(source.path)
    return (
        known is not None
        and known == listing.head.get(source.path)
        and len(known.blob) == _SHA1_DIGITS
        and known.mode == source.mode != LINK
        and stamps.get(source.path) == source.stamp
        and source.stamp.modified_ns < written_ns
    )


def _converts(root: Path, listing: Listing, own: bytes, users: Iterable[str]) -> bool:
    """Tell whether anything may make a file's bytes differ from its object's."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    attributes = (
        Path(_SYSTEM_ATTRIBUTES),
        root / ".git" / "info" / "attributes",
        Path(home, "git", "attributes"),
    )
    return (
        bool(_CONVERTING.search(own.replace(b"\0", b"\n")))
        or any(users)
        or any(path.exists() for path in attributes)
        or any(
            path.rpartition(b"/")[2] == b".gitattributes"
            for paths in (listing.index, listing.untracked)
            for path in paths
        )
    )


def index_stamps(listing: bytes) -> dict[bytes, Stamp]:
    """Return the stamp that the index has of each path, from ``ls-files --debug -z``."""
    first, *rest = listing.split(b"\0")
    stamps: dict[bytes, Stamp] = {}
    path = first
    for chunk in rest:
        if found := _STAMP.search(chunk):
            changed, changed_ns, modified, modified_ns, size_bytes = map(int, found.groups())
            stamps[path] = Stamp(
                changed * 10**9 + changed_ns, modified * 10**9 + modified_ns, size_bytes
            )
        # Five lines of facts, and then the next path, which may hold line ends of its own.
        path = chunk.split(b"\n", 5)[-1]
    return stamps


def converted(top: Path, paths: Collection[bytes]) -> set[bytes]:
    """Return which of the paths are as git wrote them: with other line ends, or out of LFS.

    Git's own mark is trusted: time and size that its index has of a file. Asking git to compare
    the contents would run the filters of the repository.

    Args:
        top: the work tree; holds ``.git``.
        paths: tracked, with other bytes than the index has. Empty costs nothing.
    """
    if not paths:
        return set()
    try:
        stamps = index_stamps(Git(top / ".git", work_tree=top).run("ls-files", "--debug", "-z"))
        written_ns = (top / ".git" / "index").stat().st_mtime_ns
        return {path for path in paths if _is_unchanged(top, path, stamps, written_ns)}
    except (CodeError, OSError):  # a linked work tree, whose index lies elsewhere; then not known
        return set()


def _is_unchanged(top: Path, path: bytes, stamps: Mapping[bytes, Stamp], written_ns: int) -> bool:
    status = os.lstat(os.fsencode(top) + b"/" + path)
    # A file changed in the very moment in which the index was written bears the same time.
    settled = status.st_mtime_ns < written_ns
    known = stamps.get(path)
    same = known and (known.modified_ns, known.size_bytes) == (status.st_mtime_ns, status.st_size)
    return settled and bool(same)
