"""Finds files that are unchanged according to git's index: as committed, or as git converted them.

An entry of the index holds the times and the size that the file had when git read or wrote it. A
file that still has them has the same bytes; git relies on this too. If git also converts no files
between the work tree and its objects, such a file need not be read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.git import Git, user_setting
from wandb_repro.capture.source.limits import SourceFile, Stamp
from wandb_repro.capture.source.objects import LINK, Entry
from wandb_repro.errors import CodeError

_STAMP = re.compile(rb"ctime: (\d+):(\d+)\n\s*mtime: (\d+):(\d+)\n.*?size: (\d+)\t", re.DOTALL)
_CONVERTING = re.compile(rb"^core\.(autocrlf|eol|attributesfile)\n", re.MULTILINE)
_USERS = ("core.autocrlf", "core.eol", "core.attributesFile")
_SHA1_DIGITS = 40
"""Ids of a SHA-256 repository are longer; we compute SHA-1."""
_SYSTEM_ATTRIBUTES = "/etc/gitattributes"


def unchanged_files(
    root: Path, listing: Listing, sources: Sequence[SourceFile]
) -> dict[bytes, Entry]:
    """Return mode and object id of files that need not be read, by path.

    Args:
        root: the work tree; holds ``.git``.
        listing: of the tree.
        sources: files with their current stamps.
    """
    try:
        return _unchanged_files(root, listing, sources)
    except (CodeError, OSError):  # a linked work tree, or no repository: every file is read
        return {}


def _unchanged_files(
    root: Path, listing: Listing, sources: Sequence[SourceFile]
) -> dict[bytes, Entry]:
    written_ns = (root / ".git" / "index").stat().st_mtime_ns
    git = Git(root / ".git", work_tree=root)
    with ThreadPoolExecutor(len(_USERS) + 3) as pool:
        committed = pool.submit(git.names, "ls-tree", "-r", "-l", "-z", "--full-tree", "HEAD")
        index = pool.submit(git.run, "ls-files", "--debug", "-z")
        config = pool.submit(git.run, "config", "--list", "-z")
        users = [pool.submit(user_setting, name) for name in _USERS]
    if _converts(root, listing, config.result(), [setting.result() for setting in users]):
        return {}
    stamps, sizes = index_stamps(index.result()), _sizes(committed.result())
    return {
        source.path: Entry(source.mode, listing.index[source.path].blob)
        for source in sources
        if _is_committed(source, listing, stamps, written_ns)
        and sizes.get(source.path) == source.size_bytes
    }


def _sizes(lines: Iterable[bytes]) -> dict[bytes, int]:
    """Return the size of each committed object, in bytes; objects that git lacks have none."""
    parts = (line.partition(b"\t") for line in lines)
    sizes = ((path, facts.split()[-1]) for facts, _, path in parts)
    return {path: int(size) for path, size in sizes if size.isdigit()}


def _is_committed(
    source: SourceFile, listing: Listing, stamps: dict[bytes, Stamp], written_ns: int
) -> bool:
    """Return whether a file is committed and unchanged since."""
    known = listing.index.get(source.path)
    return (
        known is not None
        and known == listing.head.get(source.path)
        and len(known.blob) == _SHA1_DIGITS
        and known.mode == source.mode != LINK
        and stamps.get(source.path) == source.stamp
        # A file changed in the same tick of the clock as the index was written has equal times.
        and source.stamp.modified_ns < written_ns
    )


def _converts(root: Path, listing: Listing, config: bytes, users: Iterable[str]) -> bool:
    """Return whether git may convert files, which then differ from their objects."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    attributes = (
        Path(_SYSTEM_ATTRIBUTES),
        root / ".git" / "info" / "attributes",
        Path(home, "git", "attributes"),
    )
    return (
        bool(_CONVERTING.search(config.replace(b"\0", b"\n")))
        or any(users)
        or any(path.exists() for path in attributes)
        or any(
            path.rpartition(b"/")[2] == b".gitattributes"
            for paths in (listing.index, listing.untracked)
            for path in paths
        )
    )


def index_stamps(listing: bytes) -> dict[bytes, Stamp]:
    """Parse ``ls-files --debug -z`` into the stamp of each path."""
    first, *rest = listing.split(b"\0")
    stamps: dict[bytes, Stamp] = {}
    path = first
    for chunk in rest:
        if found := _STAMP.search(chunk):
            changed, changed_ns, modified, modified_ns, size_bytes = map(int, found.groups())
            stamps[path] = Stamp(
                changed * 10**9 + changed_ns, modified * 10**9 + modified_ns, size_bytes
            )
        # Five lines of facts, then the next path, which may itself contain newlines.
        path = chunk.split(b"\n", 5)[-1]
    return stamps


def converted_by_git(top: Path, paths: Collection[bytes]) -> set[bytes]:
    """Return the files that differ from their objects only because git converted them on checkout.

    Git may change line ends and replaces LFS pointers. Time and size in the index are trusted:
    letting git compare the contents would run the filters of the repository.

    Args:
        top: the work tree; holds ``.git``.
        paths: tracked files whose bytes differ from the index. If there are none, git is not run.
    """
    if not paths:
        return set()
    try:
        stamps = index_stamps(Git(top / ".git", work_tree=top).run("ls-files", "--debug", "-z"))
        written_ns = (top / ".git" / "index").stat().st_mtime_ns
        return {path for path in paths if _is_unchanged(top, path, stamps, written_ns)}
    except (CodeError, OSError):  # a linked work tree has its index elsewhere: not known
        return set()


def _is_unchanged(top: Path, path: bytes, stamps: Mapping[bytes, Stamp], written_ns: int) -> bool:
    status = os.lstat(os.fsencode(top) + b"/" + path)
    # A file changed in the same tick of the clock as the index was written has an equal time.
    older_than_index = status.st_mtime_ns < written_ns
    known = stamps.get(path)
    same = known and (known.modified_ns, known.size_bytes) == (status.st_mtime_ns, status.st_size)
    return older_than_index and bool(same)
