"""Starts a W&B run and its record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Options
from wandb_repro.recording.attach import attached, begun_early, find_session
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.every_fit import record_every_fit
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.process_state import process
from wandb_repro.recording.rerun_process import as_rerun
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


@harmless("the run that was started for this script")
def end_own_run() -> None:
    """End the run that ``wandb-repro run`` started: the script starts one of its own."""
    run, process.own_run = process.own_run, None
    if run is not None:
        run.finish()
