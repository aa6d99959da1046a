"""The task of a fresh process: train this, and note what the weights were."""

from __future__ import annotations

from wandb_repro.manifest.base import ExecutionRecord
from wandb_repro.testing.target import Target

INSIDE = "WANDB_REPRO_TESTING"
"""Environment variable of a fresh process: an assertion in there would start others for ever."""

FAILURE = "failure.txt"
"""File in a process's folder that says what ended the training, if something did."""


class Task(ExecutionRecord):
    """One training in one process."""

    target: Target
    search: list[str]
    """``sys.path``."""
    folder: str
    """Absolute path of the folder that takes its manifest and trail."""
    who: str
    """What this process is called in a verdict."""
    seed: int | None
    deterministic: bool | None
    steps: int | None = None
    """Stop after so many; None trains to the end."""
    original: str = ""
    """Folder of the process that is compared with while this one trains; empty for none."""
    checkpoints: str = ""
    """Folder that is the function's first argument; empty for none."""
    kill_after: int | None = None
    """Send SIGKILL to oneself when so many steps are complete."""
    goes_on: bool = False
    """Whether the training is to go on from its checkpoints: steps are counted from there."""
