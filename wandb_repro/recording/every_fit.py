"""Records every ``fit`` of a process while a run is recorded, with or without our callback."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from wandb_repro.recording.attach import active_run, find_session
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.patch_fit import change_every_fit
from wandb_repro.recording.process_state import process

if TYPE_CHECKING:
    from wandb_repro.recording.session import Session


@harmless("fits without our callback")
def record_every_fit() -> None:
    """Add our callback to each ``fit`` that begins while a run is recorded, from now on."""
    if not process.records_every_fit and current_mode().records_every_fit:
        process.records_every_fit = True
        after_import("keras", lambda keras: change_every_fit(keras, _add_ours))


def session_of_fit() -> Session | None:
    """Return the session that a ``fit`` without our callback belongs to; None if there is none.

    It is the active run's, else that of the run that started last and has not ended.
    """
    run = active_run()
    session = find_session(run) if run is not None else None
    if session is not None:
        return session
    # W&B's active run may be another one: ``reinit="create_new"`` leaves it as it is.
    still_open = [each for each in process.sessions.values() if not each.ended]
    return still_open[-1] if still_open else None


def _add_ours(callbacks: Any, model: Any) -> None:
    if session_of_fit() is None and process.begin_own_run is not None:
        process.begin_own_run()
    if session_of_fit() is not None:
        # By its name: what is about a framework is in a layer above this one, and is imported
        # only once that framework is.
        import_module("wandb_repro.keras.automatic").add_automatic(callbacks, model)
    elif process.note_training is not None:
        process.note_training()
