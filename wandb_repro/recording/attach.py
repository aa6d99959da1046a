"""Starts recording a W&B run, whether ``init`` or the script started the run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.process.notebook import shell_of
from wandb_repro.errors import RecordingError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Options
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.earlier_runs import seeds_before
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.messages import forget, say, warn_once
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.options import combined
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seed_process import seed_process
from wandb_repro.recording.wandb_run import Run

if TYPE_CHECKING:
    import wandb

    from wandb_repro.recording.session import Session


_NEW_RUN = (True, "create_new", "finish_previous")
"""Values of ``reinit`` with which W&B starts another run even if one is active."""


def options_of(**call: Any) -> Options:
    """Return the options of a call, completed from the environment and ``pyproject.toml``.

    Raises:
        UsageError: an option has an invalid value.
    """
    return combined(call, folder=Path(process.host.started_in))


def find_session(run: wandb.Run) -> Session | None:
    """Return the open session of a run; None if it is not recorded or has ended."""
    session = process.sessions.get(run.id)
    return None if session is None or session.ended else session


def active_run() -> wandb.Run | None:
    """Return W&B's active run; None if there is none or W&B is not imported."""
    run = getattr(sys.modules.get("wandb"), "run", None)
    # In a forked process this is the run of the process that it was forked from.
    return None if run is process.inherited_run else cast("wandb.Run", run)


def begun_early(options: Options, kwargs: Mapping[str, Any]) -> EarlySnapshot | None:
    """Start the snapshot while W&B starts a run; None if no code will be recorded."""
    disabled = "disabled" in (kwargs.get("mode"), os.environ.get("WANDB_MODE"))
    if options.code == "off" or disabled or not current_mode().snapshots_early:
        return None
    host = process.host
    return EarlySnapshot(host, options) if world_of(host.environ).rank == 0 else None


def asks_for_another(run: wandb.Run, kwargs: Mapping[str, Any]) -> bool:
    """Tell whether ``init`` starts another run while this one is active."""
    # In a notebook the cell with init is executed again to start over: W&B then finishes the
    # active run. Source: wandb 0.31, Settings.reinit.
    if kwargs.get("reinit", "default") == "default" and shell_of(process.host.modules) is not None:
        return find_session(run) is not None
    return kwargs.get("reinit") in _NEW_RUN


def merge_into(run: wandb.Run, kwargs: Mapping[str, Any]) -> None:
    """Merge ``config`` into an active run, and warn of arguments that only a new run takes."""
    config = kwargs.get("config")
    if isinstance(config, Mapping):
        cast("Run", run).config.update(cast("Mapping[str, Any]", config), allow_val_change=True)
        kwargs = {name: value for name, value in kwargs.items() if name != "config"}
    if kwargs:
        warn_once(
            f"a W&B run is already active: {', '.join(sorted(kwargs))} ignored; "
            "pass them to the wandb.init that starts the run"
        )


def attached(run: wandb.Run, options: Options, ahead: EarlySnapshot | None = None) -> wandb.Run:
    """Start recording a run, and return the run even if it cannot be recorded.

    Raises:
        RecordingError: under ``strict=True`` only.
    """
    if cast("Run", run).disabled and options.seed is None and options.deterministic is None:
        return run
    begun = guarded(lambda: _begun(run, options, ahead), "this run is not recorded")
    if isinstance(begun, Unavailable):
        if options.strict:
            raise RecordingError(
                f"{begun}; strict=True requires a complete record.",
                hint="Fix it, or train without strict=True: the record then says what is missing.",
            )
        warn_once(f"{begun}; training continues")
    elif begun is not None and options.strict:
        begun.check_complete()
    return run


def _begun(run: wandb.Run, options: Options, ahead: EarlySnapshot | None) -> Session | None:
    """Seed the process and start the session of a run; None if the run is not recorded."""
    # These take half of our import time, and a process that only fingerprints needs neither.
    from wandb_repro.recording.process_exit import end_with
    from wandb_repro.recording.session import Session

    recorded = cast("Run", run)
    current_mode().check_goes_on(process.sessions.values())
    known = process.sessions.get(recorded.id)
    if known is not None and known.run is recorded and known.ended:
        return None
    seeding = seed_process(options)
    if known is not None and not known.ended:
        return known
    world = world_of(process.host.environ)
    if recorded.disabled or world.rank != 0:
        return None
    forget()
    mode = current_mode().for_next_run(process.begun)
    if mode is not current_mode():
        say("recording a run that the original's process made before the one being repeated")
    mode.restore_config(recorded)
    session = Session(
        recorded,
        process.host,
        seeding,
        options,
        mode=mode,
        world_size=world.size,
        earlier=seeds_before(recorded, [session.seeding for session in process.sessions.values()]),
        ahead=ahead,
    )
    process.sessions[recorded.id] = session
    end_with(run, session)
    session.add_data(process.pending)
    process.pending.clear()
    return session
