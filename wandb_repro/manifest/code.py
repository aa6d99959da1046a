"""The source tree as it was."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import ExecutionRecord, Record, Unavailable

__all__ = ["BundleFile", "Code", "GitState", "LeftOut"]


class GitState(Record):
    """What the user's repository said of itself; notes, never used to restore."""

    commit: str | Unavailable
    """HEAD, hexadecimal."""
    branch: str | Unavailable
    """Short name; unavailable on a detached HEAD."""
    remote: str | Unavailable
    """Address of the remote, its credentials cut out."""
    dirty: bool | Unavailable
    """Whether the snapshot differs from HEAD's tree, untracked files included."""
    pushed: bool | Unavailable
    """Whether a remote-tracking branch holds HEAD."""
    changed: tuple[str, ...] = ()
    """Paths that differ from HEAD, at most 1,000."""


class LeftOut(ExecutionRecord):
    """A file of the tree that is not in the snapshot."""

    path: str
    """POSIX, relative to the code's root."""
    size_bytes: int | Unavailable
    reason: str
    """Why it was left out: its size, or that it looks like a secret."""


class BundleFile(ExecutionRecord):
    """The git bundle that holds the tree."""

    name: str
    """File name inside the capsule."""
    sha256: str
    """Hexadecimal."""
    size_bytes: int
    kept: Literal["run", "local"] = "run"
    """With the run's files, or only on the machine that recorded it."""


class Code(ExecutionRecord):
    """One snapshot of the tree. Its git tree id is the code's identity."""

    root: str
    """Absolute path of the tree on the machine that recorded it."""
    tree: str
    """Git tree id of the snapshot, SHA-1, 40 hexadecimal digits."""
    files: int
    """How many files the tree holds."""
    bundle: BundleFile | Unavailable
    """Where the bytes are."""
    git: GitState | Unavailable
    left_out: tuple[LeftOut, ...] = ()
