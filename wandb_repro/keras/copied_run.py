"""The W&B run of a callback that is copied or pickled: a run itself can be neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from wandb_repro.recording.attach import active_run
from wandb_repro.recording.process_state import process

if TYPE_CHECKING:
    import wandb


class RunId(NamedTuple):
    """Replaces a run in the state of a copy."""

    id: str


def run_id(run: wandb.Run | None) -> RunId | None:
    """Return what replaces a run; None for None."""
    return None if run is None else RunId(cast("Any", run).id)


def run_of(given: RunId | None) -> wandb.Run | None:
    """Return the run that was replaced, if this process has it.

    None otherwise, as in a process that loads a pickle: the callback then takes the active run.
    """
    if given is None:
        return None
    active = active_run()
    if active is not None and active.id == given.id:
        return active
    session = process.sessions.get(given.id)
    return None if session is None else cast("wandb.Run", session.run)
