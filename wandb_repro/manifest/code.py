"""The source tree: its snapshot, what git knew of it, and files used outside it."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import (
    EvolvedRecord,
    ExecutionRecord,
    Record,
    Unavailable,
    added_field,
)

IGNORED = "ignored by git"
EXCLUDED = "excluded by [tool.wandb_repro] or code_dir"


class GitState(Record):
    """State of the user's repository, for people; never used to restore."""

    commit: str | Unavailable
    """HEAD, hexadecimal."""
    branch: str | Unavailable
    """Short name; unavailable on a detached HEAD."""
    remote: str | Unavailable
    """Address of the remote, credentials removed."""
    dirty: bool | Unavailable
    """Whether the snapshot differs from HEAD's tree, untracked files included."""
    pushed: bool | Unavailable
    """Whether a remote-tracking branch holds HEAD."""
    changed: tuple[str, ...] = ()
    """Paths that differ from HEAD, at most 1,000."""


class LeftOut(EvolvedRecord, ExecutionRecord):
    """A file of the tree that is not in the snapshot, or a folder with many."""

    path: str
    """POSIX, relative to the code's root; a folder ends with a slash."""
    size_bytes: int | Unavailable
    reason: str
    """Why it was left out: too large, looks like a secret, ``IGNORED``, ..."""
    digest: str | Unavailable = added_field(Unavailable(unavailable="it was not read"))
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
    """A file that the run used, that is not in the snapshot, and that is stored with the run."""

    path: str
    """POSIX, relative to ``Added.top``."""
    size_bytes: int
    digest: str
    """``sha256:HEX`` of its bytes."""


class Added(ExecutionRecord):
    """Files that the run imported or read outside its snapshot: ignored ones, other folders'."""

    top: str
    """Absolute path of the folder that paths are relative to: the code's root or one above it."""
    tree: str
    """Git tree id of the added files, SHA-1, 40 hexadecimal digits."""
    bundle: BundleFile | Unavailable
    """Where the bytes are; unavailable if nothing was added."""
    files: tuple[AddedFile, ...] = ()
    """All of them, sorted by path."""
    edited: tuple[str, ...] = ()
    """Modules that changed after the snapshot was taken, POSIX, relative to the root."""
    known_until: Literal["training", "end"]
    """Files used after this are not known: the start of training, or the end of the run."""


class Code(EvolvedRecord, ExecutionRecord):
    """A snapshot of the source tree. Its git tree id is the code's identity."""

    root: str
    """Absolute path of the tree on the machine that recorded it."""
    tree: str
    """Git tree id of the snapshot, SHA-1, 40 hexadecimal digits."""
    files: int
    """Number of files in the tree."""
    bundle: BundleFile | Unavailable
    """Where the bytes are."""
    git: GitState | Unavailable
    left_out: tuple[LeftOut, ...] = ()
    added: Added | Unavailable = added_field(
        Unavailable(unavailable="the version that recorded this run did not look for them")
    )
    """Files that the run used outside the snapshot; unavailable until training begins."""
