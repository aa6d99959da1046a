"""Starts a training in a fresh process, waits for it, and reads its record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from wandb_repro.errors import UsageError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.request import OPTIONS_VARIABLE, REQUEST_VARIABLE
from wandb_repro.manifest.trail import Trail
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.testing.failure import fail
from wandb_repro.testing.fresh_task import FAILURE, INSIDE, Task
from wandb_repro.testing.target import Target

_SHOWN_LINES = 25

_IDENTITY = (
    *("WANDB_SERVICE", "_WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_RESUME_FROM"),
    *("WANDB_FORK_FROM", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH"),
    *(REQUEST_VARIABLE, OPTIONS_VARIABLE),
)
"""Variables that would make the training part of another run."""


@dataclass(frozen=True)
class Noted:
    """The record of a training in a fresh process."""

    manifest: Manifest
    trail: Trail
    capsule: Capsule


@dataclass(frozen=True)
class Processes:
    """Starts the same training several times, each time in a fresh process.

    Raises:
        UsageError: this is a fresh process itself.
    """

    target: Target
    scratch: Path
    """Temporary folder, deleted afterwards."""
    seed: int | None
    """Seed of every random generator; None leaves seeding to the function."""
    deterministic: bool | None
    """Turns the framework's deterministic operations on."""
    timeout_s: float
    """Limit for each process."""

    def __post_init__(self) -> None:
        __tracebackhide__ = True
        if INSIDE in os.environ:
            raise UsageError(
                "An assertion about a training was called while a fresh process imported that "
                "training's module. Call it in a test, or below if __name__ == '__main__'."
            )

    def train(
        self,
        who: str,
        *,
        steps: int | None = None,
        original: Noted | None = None,
        checkpoints: Path | None = None,
        goes_on: bool = False,
        judges_result: bool = False,
    ) -> Noted:
        """Train, and return the record.

        Args:
            who: name of the process in a verdict.
            steps: stop after this many optimizer steps.
            original: compared with while it trains; it stops at the first difference.
            checkpoints: folder passed to the function.
            goes_on: whether the folder contains checkpoints.
            judges_result: whether what the function returns is digested even if a ``fit`` was.

        Raises:
            AssertionError: the training itself failed, or took too long.
        """
        __tracebackhide__ = True
        compared_with = str(original.capsule.folder) if original else ""
        task = self._task(
            who,
            checkpoints,
            steps=steps,
            original=compared_with,
            goes_on=goes_on,
            judges_result=judges_result,
        )
        returncode = self._run(task)
        capsule = Capsule(Path(task.folder))
        if returncode or not capsule.manifest.is_file():
            self._fail(task, returncode)
        return Noted(read_manifest(capsule), read_trail(capsule), capsule)

    def train_until_killed(self, who: str, *, checkpoints: Path, after: int) -> None:
        """Train, and kill the process by SIGKILL when ``after`` steps are complete.

        Raises:
            AssertionError: it ended in another way.
        """
        __tracebackhide__ = True
        task = self._task(who, checkpoints, kill_after=after)
        returncode = self._run(task)
        if returncode != -signal.SIGKILL:
            self._fail(task, returncode)

    def _task(self, who: str, checkpoints: Path | None, **limits: Any) -> Task:
        return Task(
            target=self.target,
            search=[str(Path(entry or ".").resolve()) for entry in sys.path],
            folder=tempfile.mkdtemp(dir=self.scratch),
            who=who,
            seed=self.seed,
            deterministic=self.deterministic,
            checkpoints=str(checkpoints or ""),
            **limits,
        )

    def _fail(self, task: Task, returncode: int) -> NoReturn:
        __tracebackhide__ = True
        folder = Path(task.folder)
        fail(
            f"{self.target} failed in a fresh process ({task.who}): {_how(returncode, folder)}\n"
            "What it printed last:",
            _last_lines(folder),
        )

    def _run(self, task: Task) -> int:
        __tracebackhide__ = True
        folder = Path(task.folder)
        task_file = folder / "task.json"
        task_file.write_text(task.model_dump_json(), encoding="utf-8")
        with _printed_in(folder).open("wb") as printed:
            try:
                ended = subprocess.run(
                    [sys.executable, "-m", "wandb_repro.testing.fresh_child", str(task_file)],
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=subprocess.STDOUT,
                    timeout=self.timeout_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                ended = None
        if ended is None:
            fail(
                f"{self.target} did not end within {self.timeout_s:g} s in a fresh process "
                f"({task.who}). Train less in a test, or give timeout_s=.\nWhat it printed last:",
                _last_lines(folder),
            )
        return ended.returncode


def _environment() -> dict[str, str]:
    """Return the variables of a fresh process; nothing is published unless WANDB_MODE is set."""
    kept = {name: value for name, value in os.environ.items() if name not in _IDENTITY}
    return {"WANDB_MODE": "disabled", "TF_CPP_MIN_LOG_LEVEL": "2", **kept}


def _printed_in(folder: Path) -> Path:
    return folder / "printed.txt"


def _last_lines(folder: Path) -> str:
    text = _printed_in(folder).read_bytes().decode("utf-8", "replace")
    lines = [line.rpartition("\r")[2] for line in text.splitlines() if line.strip()]
    return "\n".join(f"  {line}" for line in lines[-_SHOWN_LINES:]) or "  (nothing)"


def _how(returncode: int, folder: Path) -> str:
    failure = folder / FAILURE
    if failure.is_file():
        return failure.read_text(encoding="utf-8")
    if returncode < 0:
        return f"it was ended by {signal.Signals(-returncode).name}."
    return f"it ended with {returncode}."
