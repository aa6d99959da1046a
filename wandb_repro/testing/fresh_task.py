"""The task of a fresh process: train a function, and record the weights."""

from __future__ import annotations

from wandb_repro.manifest.base import ExecutionRecord
from wandb_repro.testing.target import Target

INSIDE = "WANDB_REPRO_TESTING"
"""Environment variable of a fresh process: an assertion there would start processes endlessly."""

FAILURE = "failure.txt"
"""File in a process's folder with the error that ended the training, if any."""


class Task(ExecutionRecord):
    """A training in a fresh process."""

    target: Target
    search: list[str]
    """``sys.path``."""
    folder: str
    """Absolute path of the folder for its manifest and trail."""
    who: str
    """Name of the process in a verdict."""
    seed: int | None
    deterministic: bool | None
    steps: int | None = None
    """Stop after this many optimizer steps; None trains to the end."""
    original: str = ""
    """Folder of the process to compare with while training; empty for none."""
    checkpoints: str = ""
    """Folder passed to the function as its first argument; empty for none."""
    kill_after: int | None = None
    """Send SIGKILL to the own process when this many steps are complete."""
    judges_result: bool = False
    """Whether what the function returns is digested even if a ``fit`` was."""
    goes_on: bool = False
    """Whether the training resumes from its checkpoints: steps are counted from there."""
