"""Errors: the question could not be answered.

A difference that was found is never an error but a value. Each error ends a command with one
sentence, a hint that says what to do, and its own exit code.

    ReproError
    ├── UsageError            2   the command or the call was wrong
    ├── InconclusiveError     3   too little to go on
    ├── NotFoundError         2   there is no such run, or it holds no record
    ├── RefusedError          4   we do not start this
    │   ├── ManifestError         the record cannot be believed or read
    │   ├── TrailError            the trail cannot be believed or read
    │   ├── CheckpointError       a checkpoint cannot be believed, read or gone on from
    │   ├── CodeError             the code cannot be recorded or restored exactly
    │   │   └── HungError             git did not end in time
    │   ├── RebuildError          the environment cannot be rebuilt
    │   │   └── DiskFullError         there is no room for it
    │   └── StoreError            W&B did not give what was asked
    ├── TrainingFailedError   5   the training itself failed
    ├── DigestError           4   an array that has no bytes to digest
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
        hint: one sentence saying what to do, or an empty string where nothing can be done.
        exit_code: what a command ends with.
    """

    exit_code: int = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReproError):
    """The command or the call was wrong."""

    exit_code = 2


class NotFoundError(ReproError):
    """There is no such run here, or the run holds no record of ours."""

    exit_code = 2


class InconclusiveError(ReproError):
    """There is too little evidence to go on."""

    exit_code = 3


class RefusedError(ReproError):
    """We do not start this."""

    exit_code = 4


class ManifestError(RefusedError):
    """A manifest cannot be read or cannot be believed.

    Attributes:
        where: path inside the document, such as ``execution.packages.0.name``.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message, hint=hint)
        self.where = where


class TrailError(RefusedError):
    """A trail cannot be read or cannot be believed."""


class CheckpointError(RefusedError):
    """A checkpoint cannot be read, cannot be believed, or is of another training."""


class CodeError(RefusedError):
    """The source tree cannot be recorded or cannot be restored exactly."""


class HungError(CodeError):
    """Git did not end in time: what it is asked next would not, either."""


class RebuildError(RefusedError):
    """The environment cannot be rebuilt here.

    Attributes:
        missing: the distributions that nothing could give back, as ``name==version``.
    """

    def __init__(self, message: str, *, hint: str = "", missing: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.missing = missing


class DiskFullError(RebuildError):
    """There is no room for the environment.

    Attributes:
        folder: where it was to be.
        why: the system's own word.
    """

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}.", hint="Free some space, or choose another folder.")
        self.folder = folder
        self.why = why


class StoreError(RefusedError):
    """W&B did not give what was asked: no network, no login, a server's error."""


class DigestError(ReproError):
    """An array has no bytes that a digest could stand for."""


class RecordingError(ReproError):
    """A fact could not be recorded and ``strict=True`` was asked for."""


class TrainingFailedError(ReproError):
    """The training that was rerun failed by itself.

    Attributes:
        returncode: how its process ended; negative is the number of a signal.
    """

    exit_code = 5

    def __init__(self, message: str, *, hint: str = "", returncode: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.returncode = returncode
