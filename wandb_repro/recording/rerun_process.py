"""Prepares the W&B runs of a rerun's process before they are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wandb_repro.recording.messages import harmless
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import Run

if TYPE_CHECKING:
    import wandb


def as_rerun(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments for ``wandb.init``: a rerun starts a new run with job type ``rerun``."""
    return current_mode().wandb_arguments(kwargs)


def skip_earlier() -> None:
    """Start a rerun with the run that it repeats, without the earlier runs of its sweep agent."""
    earlier = current_mode().earlier_runs
    if earlier > process.begun:
        process.skipped = earlier - len(process.sessions)
        # The early seed was for the first skipped run; this run is seeded when it begins.
        process.seeding = None


@harmless("the original's config")
def restore_early(run: wandb.Run) -> None:
    """Give a rerun's run the original's config before the script can read it."""
    current_mode().for_next_run(process.begun).restore_config(cast("Run", run))
