"""The errors of this package.

A difference between runs is a value, never an error. An error ends a command with a sentence, a
hint that says what to do, and its exit code.

    ReproError
    ├── UsageError            2   the command or the call was wrong
    ├── InconclusiveError     3   too little evidence
    ├── NotFoundError         2   no such run, or it has no record
    ├── RefusedError          4   refused to start
    │   ├── ManifestError         the record is invalid or cannot be read
    │   ├── TrailError            the trail is invalid or cannot be read
    │   ├── CheckpointError       a checkpoint is invalid or cannot be resumed
    │   ├── CodeError             the code cannot be recorded or restored exactly
    │   │   └── HungError             git did not finish in time
    │   ├── RebuildError          the environment cannot be rebuilt
    │   │   └── DiskFullError         not enough disk space for it
    │   └── StoreError            W&B did not answer the request
    ├── TrainingFailedError   5   the training itself failed
    ├── DigestError           4   an array without bytes to digest
    └── RecordingError        4   raised before training, under ``strict=True`` only
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "CheckpointError",
    "CodeError",
    "DigestError",
    "DiskFullError",
    "HungError",
    "InconclusiveError",
    "ManifestError",
    "NotFoundError",
    "RebuildError",
    "RecordingError",
    "RefusedError",
    "ReproError",
    "StoreError",
    "TrailError",
    "TrainingFailedError",
    "UsageError",
]


class ReproError(Exception):
    """Base of every error of this package.

    Attributes:
        message: one sentence saying what is wrong.
        hint: one sentence saying what to do; empty if nothing can be done.
        exit_code: exit code of the command.
    """

    exit_code: int = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReproError):
    """The command or call was wrong."""

    exit_code = 2


class NotFoundError(ReproError):
    """No such run, or the run has no record."""

    exit_code = 2


class InconclusiveError(ReproError):
    """Too little evidence for an answer."""

    exit_code = 3


class RefusedError(ReproError):
    """Refused: it would be unsafe or could not work."""

    exit_code = 4


class ManifestError(RefusedError):
    """A manifest is invalid or cannot be read.

    Attributes:
        where: path inside the document, such as ``execution.packages.0.name``.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint)
        self.where = where


class TrailError(RefusedError):
    """A trail is invalid or cannot be read."""


class CheckpointError(RefusedError):
    """A checkpoint is invalid, cannot be read, or belongs to a different training."""


class CodeError(RefusedError):
    """The source tree cannot be recorded or restored exactly."""


class HungError(CodeError):
    """Git did not finish in time; further git commands would not either."""


class RebuildError(RefusedError):
    """The environment cannot be rebuilt here.

    Attributes:
        missing: distributions that cannot be installed, as ``name==version``.
    """

    def __init__(self, message: str, *, hint: str = "", missing: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.missing = missing


class DiskFullError(RebuildError):
    """Not enough disk space for the environment.

    Attributes:
        folder: where it should be built.
        why: the system's error message.
    """

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}.", hint="Free some space, or choose another folder.")
        self.folder = folder
        self.why = why


class StoreError(RefusedError):
    """W&B did not answer a request: no network, no login, or a server error."""


class DigestError(ReproError):
    """An array has no bytes that can be digested."""


class RecordingError(ReproError):
    """A fact could not be recorded and ``strict=True`` was set."""


class TrainingFailedError(ReproError):
    """The training that was rerun failed.

    Attributes:
        returncode: exit code of its process; negative if a signal ended it.
    """

    exit_code = 5

    def __init__(self, message: str, *, hint: str = "", returncode: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.returncode = returncode
