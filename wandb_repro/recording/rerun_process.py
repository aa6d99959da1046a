"""What the patches of a rerun's process ask for, before any run is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wandb_repro.recording.messages import harmless
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import Run

if TYPE_CHECKING:
    import wandb

__all__ = ["as_rerun", "restore_early", "skip_earlier"]


def as_rerun(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return what ``wandb.init`` gets: a rerun is a new run and says so."""
    return current_mode().wandb_arguments(kwargs)


def skip_earlier() -> None:
    """Let a rerun begin with the run that it repeats: runs of one agent know nothing of another."""
    earlier = current_mode().earlier_runs
    if earlier > process.begun:
        process.skipped = earlier - len(process.sessions)
        # It was the seed of the first of them; this run is seeded when it begins.
        process.seeding = None


@harmless("the original's config")
def restore_early(run: wandb.Run) -> None:
    """Give a run of a rerun the original's config, before anybody attaches to it."""
    current_mode().for_next_run(process.begun).restore_config(cast("Run", run))
