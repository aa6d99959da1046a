"""Starts a W&B run and its record."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Options
from wandb_repro.recording.attach import (
    active_run,
    attached,
    begun_early,
    find_session,
    options_of,
)
from wandb_repro.recording.children.handover import is_child
from wandb_repro.recording.children.own_record import finish_at_end_of_worker
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.every_fit import record_every_fit
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rerun_process import as_rerun
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.wandb_run import discreet_arguments, with_discreet_remote

if TYPE_CHECKING:
    import wandb


def started(
    options: Options, kwargs: Mapping[str, Any], ahead: EarlySnapshot | None = None
) -> wandb.Run:
    """Start a W&B run, record it, and return it.

    Args:
        options: how it is recorded.
        kwargs: arguments of ``wandb.init``.
        ahead: a snapshot of the source tree that was taken before; by default it is taken while
            W&B starts the run.

    Raises:
        RecordingError: under ``strict=True`` only.
    """
    import wandb

    process.starting = True
    try:
        if ahead is None:
            begun = guarded(lambda: begun_early(options, kwargs), "the early snapshot")
            ahead = None if isinstance(begun, Unavailable) else begun
        with discreet_arguments():
            run = wandb.init(**with_discreet_remote(as_rerun(dict(kwargs))))
        process.starting = False
        return recorded(run, options, ahead)
    finally:
        process.starting = False
        if ahead is not None:
            guarded(ahead.close, "the early snapshot")


def recorded(run: wandb.Run, options: Options, ahead: EarlySnapshot | None = None) -> wandb.Run:
    """Start recording a run and each of its fits; return the run.

    Raises:
        RecordingError: under ``strict=True`` only.
    """
    attached(run, options, ahead)
    if find_session(run) is not None:
        record_every_fit()
    return run


@harmless("a run for this loop in a child process")
def start_in_child() -> None:
    """Start a run for a watched loop in a process that a recorded one started.

    The process is not seeded: its models exist already.
    """
    disabled = os.environ.get("WANDB_MODE") == "disabled"
    if active_run() is None and is_child() and not disabled:
        process.seeding = Seeding(None, asked=None, deterministic=None, drawn=False)
        run = started(options_of(), arguments_of_own_run())
        finish_at_end_of_worker(run.finish)


def arguments_of_own_run() -> dict[str, Any]:
    """Return the arguments of ``wandb.init`` for a script that does not call it.

    Without the user's ``WANDB_MODE``, nothing is uploaded and nobody is asked to log in. The folder
    is where the user looks for it, even if the script changed to another one.
    """
    import wandb

    environ = process.host.environ
    mode = environ.get("WANDB_MODE", "")
    online = mode in _ONLINE and cast("Any", wandb).api.api_key
    place = {} if "WANDB_DIR" in environ else {"dir": process.host.started_in}
    # The script does not use W&B, so its output is not captured, and W&B prints nothing.
    quiet = {"console": "off", "silent": True}
    return {"mode": mode if online else "offline", "settings": quiet, **place}


_ONLINE = ("online", "run", "shared")
"""Values of ``WANDB_MODE`` with which W&B uploads a run."""


@harmless("the run that was started for this script")
def end_own_run() -> None:
    """End the run that ``wandb-repro run`` started: the script starts one of its own."""
    run, process.own_run = process.own_run, None
    if run is not None:
        run.finish()
