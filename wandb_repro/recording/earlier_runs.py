"""Runs that one process makes one after the other: the later ones begin where the earlier ended."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Execution
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.wandb_run import Run

__all__ = ["SCRIPTS_OWN", "comes_before", "seed_of", "seeds_before"]

SCRIPTS_OWN = Unavailable(unavailable="the script sets its own seeds")


def seeds_before(run: Run, seedings: Iterable[Seeding]) -> tuple[str | Unavailable, ...]:
    """Return the seeds of the runs before this one, in their order.

    A run of a sweep is told its parameters by the sweep, not by the runs before: it has none,
    unless the sweep's agent calls a function of one process again and again.
    """
    if getattr(run, "sweep_id", None) and not _agent_is_here():
        return ()
    return tuple(SCRIPTS_OWN if one.seed is None else str(one.seed) for one in seedings)


def _agent_is_here() -> bool:
    """Tell whether this process is an agent of W&B, which calls the script's function."""
    agent: Any = sys.modules.get("wandb.agents.pyagent")
    return agent is not None and bool(agent.is_running())


def comes_before(execution: Execution, begun: int) -> bool:
    """Tell whether the next run of a rerun stands for one before that which is repeated.

    Args:
        execution: of the run that is repeated.
        begun: how many runs this process began to record so far.
    """
    return begun < len(execution.earlier_seeds)


def seed_of(execution: Execution, begun: int) -> int | None:
    """Return the seed of a rerun's next run; None where the script sets its own."""
    before = comes_before(execution, begun)
    seed = execution.earlier_seeds[begun] if before else execution.seed
    return int(seed) if isinstance(seed, str) else None
