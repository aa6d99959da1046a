"""The source tree as it was."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import ExecutionRecord, Grown, Record, Unavailable, later

__all__ = [
    "EXCLUDED",
    "IGNORED",
    "Added",
    "AddedFile",
    "BundleFile",
    "Code",
    "GitState",
    "LeftOut",
]

IGNORED = "ignored by git"
EXCLUDED = "excluded by [tool.wandb_repro] or code_dir"


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


class LeftOut(Grown, ExecutionRecord):
    """A file of the tree that is not in the snapshot, or many of them below one folder."""

    path: str
    """POSIX, relative to the code's root; of a folder, with a slash at its end."""
    size_bytes: int | Unavailable
    reason: str
    """Why it was left out: its size, that it looks like a secret, :data:`IGNORED`, ..."""
    digest: str | Unavailable = later(Unavailable(unavailable="it was not read"))
    """``sha256:HEX`` of its bytes."""


class BundleFile(ExecutionRecord):
    """The git bundle that holds the tree."""

    name: str
    """File name inside the capsule."""
    sha256: str
    """Hexadecimal."""
    size_bytes: int
    kept: Literal["run", "local"] = "run"
    """With the run's files, or only on the machine that recorded it."""


class AddedFile(ExecutionRecord):
    """A file that the run used, that its snapshot lacks, and that was stored for it."""

    path: str
    """POSIX, relative to ``Added.top``."""
    size_bytes: int
    digest: str
    """``sha256:HEX`` of its bytes."""


class Added(ExecutionRecord):
    """What the run imported or read and its snapshot lacks: ignored files, and other folders'."""

    top: str
    """Absolute path of the folder that the paths start from: the code's root or one above it."""
    tree: str
    """Git tree id of the added files, SHA-1, 40 hexadecimal digits."""
    bundle: BundleFile | Unavailable
    """Where the bytes are; unavailable where nothing was added."""
    files: tuple[AddedFile, ...] = ()
    """All of them, sorted by path."""
    edited: tuple[str, ...] = ()
    """Modules whose file is not as the snapshot holds it any more, POSIX, relative to the root."""
    known_until: Literal["training", "end"]
    """What came after is not known: the begin of the training, or the end of the run."""


class Code(Grown, ExecutionRecord):
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
    added: Added | Unavailable = later(
        Unavailable(unavailable="the program that recorded it did not look")
    )
    """What the run used beside the snapshot; unavailable until training begins."""
