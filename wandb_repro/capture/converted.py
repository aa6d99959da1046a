"""Files whose bytes are not the committed ones because git itself changed them on the way."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from wandb_repro.capture.choice import Stamp
from wandb_repro.capture.git import Git
from wandb_repro.capture.settled import index_stamps
from wandb_repro.errors import CodeError

__all__ = ["converted"]


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
