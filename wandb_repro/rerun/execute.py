"""Starts the training of a rerun and waits for its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.request import RerunRequest, Whereabouts
from wandb_repro.process_group import signal_group, start_supervised
from wandb_repro.rerun.child_environment import child_environment
from wandb_repro.rerun.plan import Plan

_GRACE_S = 30
_ORPHANS_GRACE_S = 5
"""Shorter: nobody waits for the verdict of a rerun that was killed."""
_HEARING_S = 1.0
STANDARD_ERROR = 2


@dataclass(frozen=True)
class Child:
    """How the training's process ended."""

    returncode: int
    whereabouts: Whereabouts | None
    """None if the script recorded nothing."""


def train(
    plan: Plan,
    python: Path,
    request: RerunRequest,
    *,
    rebuilt: bool,
    output: int = STANDARD_ERROR,
) -> Child:
    """Start the training and wait for its end.

    Args:
        plan: what is started, and where.
        python: interpreter of the environment.
        request: what the process repeats and compares.
        rebuilt: whether the environment is a new one.
        output: file descriptor for what the training prints.

    Raises:
        KeyboardInterrupt: Ctrl-C, after the training was ended.
        RefusedError: the process could not be started.
    """
    _write_cells(plan)
    path = plan.work / "order.json"
    path.write_text(request.model_dump_json(exclude_defaults=True), encoding="utf-8")
    environment = child_environment(plan, python, path, os.environ, rebuilt=rebuilt)
    try:
        process = start_supervised(
            plan.started_with(python),
            cwd=plan.cwd,
            environment=environment,
            grace_s=_ORPHANS_GRACE_S,
            stdout=output,
            stderr=output,
        )
    except (OSError, ValueError) as error:
        raise RefusedError(f"The training cannot be started: {error}.") from error
    try:
        returncode = _wait(process)
    except BaseException:
        _end(process)
        raise
    if plan.cells is not None and plan.cells.values:
        plan.cells_file.unlink()  # it holds credentials
    return Child(returncode, _whereabouts(Path(request.whereabouts)))


def _wait(process: subprocess.Popen[bytes]) -> int:
    # The system may deliver Ctrl-C to any thread, but only this one raises it, once it runs again:
    # so it wakes up now and then.
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(_HEARING_S)


def _write_cells(plan: Plan) -> None:
    """Write a notebook's cells, with their credentials, to a file that only its owner may read."""
    if plan.cells is not None:
        plan.cells_file.touch(mode=0o600, exist_ok=False)
        plan.cells_file.write_bytes(plan.cells.filled().to_bytes())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the training, so that it closes its run; kill it if that takes too long."""
    # A second Ctrl-C while we wait goes to "finally" and kills it at once.
    try:
        signal_group(process, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    finally:
        if process.poll() is None:
            signal_group(process, signal.SIGKILL)
            process.wait()


def _whereabouts(path: Path) -> Whereabouts | None:
    try:
        return Whereabouts.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
