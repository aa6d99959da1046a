"""Runs of one process in sequence: a later run starts from the state that an earlier one left."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Execution
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.wandb_run import Run

SCRIPTS_OWN = Unavailable(unavailable="the script sets its own seeds")


def seeds_before(run: Run, seedings: Iterable[Seeding]) -> tuple[str | Unavailable, ...]:
    """Return the seeds of the runs that this process made before this one, in order."""
    # A sweep starts a new process for each run, unless its agent calls a function of the script.
    if getattr(run, "sweep_id", None) and not _is_sweep_agent():
        return ()
    return tuple(SCRIPTS_OWN if seeding.seed is None else str(seeding.seed) for seeding in seedings)


def _is_sweep_agent() -> bool:
    """Tell whether this process is a W&B agent, which calls a function of the script."""
    agent: Any = sys.modules.get("wandb.agents.pyagent")
    return agent is not None and bool(agent.is_running())


def comes_before(execution: Execution, begun: int) -> bool:
    """Tell whether the next run of a rerun repeats a run made before the one being verified."""
    return begun < len(execution.earlier_seeds)


def seed_of(execution: Execution, begun: int) -> int | None:
    """Return the seed of a rerun's next run; None if the script sets its own."""
    before = comes_before(execution, begun)
    seed = execution.earlier_seeds[begun] if before else execution.seed
    return int(seed) if isinstance(seed, str) else None
