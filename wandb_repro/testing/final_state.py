"""Digests what a training in a fresh process returned, and all else that it made."""

from __future__ import annotations

from wandb_repro.manifest.trail_records import Inventory
from wandb_repro.recording.process_state import process
from wandb_repro.recording.trail_sink import Point
from wandb_repro.state.returned import parts_of
from wandb_repro.state.watched import Watched
from wandb_repro.state.whole_state import read_whole_state
from wandb_repro.testing.process_recorder import ProcessRecorder


def record_result(result: object, recorder: ProcessRecorder) -> None:
    """Record the weights of the models and optimizers that a training returned.

    Raises:
        RerunStopped: they differ from those of the process that is compared with.
    """
    parts = parts_of(result)
    if not parts:
        return
    fit = recorder.begin_fit(parts[0])
    # The steps were not counted; with one, the verdict takes the model as trained.
    recorder.weights(Point("final", fit, epoch=0, step=1), Watched(parts).read())
    recorder.end_fit(fit)


def record_all_state(recorder: ProcessRecorder) -> None:
    """Record the state of everything that the training made, if anything was trained.

    Raises:
        RerunStopped: it differs from that of the process that is compared with.
    """
    state = read_whole_state(process.registry)
    trained = recorder.fits or any(thing.steps for thing in state.things)
    if not trained:
        return
    if state.variables:
        recorder.state("end", 0, state.variables)
    recorder.append(Inventory(things=tuple(state.things), notes=()))
