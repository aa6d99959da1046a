"""Checkpoints of a loop of one's own: everything that it needs to resume exactly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.capture.weights import root_of_variables
from wandb_repro.errors import CheckpointError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Resumed
from wandb_repro.recording.checkpoint_process import (
    NOT_SEEDED,
    check_config,
    differences_of_process,
    seed_of_process,
    state_of_process,
)
from wandb_repro.recording.checkpoint_series import CheckpointSeries, Found, Taken
from wandb_repro.recording.fit.fit_recorder import FitRecorder
from wandb_repro.recording.loop.dataset_positions import DatasetPositions
from wandb_repro.recording.loop.running_loop import RunningLoop
from wandb_repro.recording.messages import warn_once
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.rng_registry import registered_by_name
from wandb_repro.state.packing import Pieces, pack, unpack
from wandb_repro.state.pytree_leaves import restored_tree, save_leaves
from wandb_repro.state.rng_state import restore_rng_states, rng_states
from wandb_repro.state.saved_values import check_values, restore_values, save_values
from wandb_repro.state.watched import Watched
from wandb_repro.store.checkpoint_file import StoredCheckpoint

_FRAMEWORKS = ("keras", "tensorflow", "jax", "torch")
_UNBUILT = (
    "a model has no weights yet: give it an Input layer, or call it once before the loop begins"
)
_NOT_RESTORED = (
    "the loop passes its state to watch.step; begin it with `state = watch.restore(state)`"
)
_NOT_BEGUN = (
    "no checkpoints are saved: the loop does not say where it begins; write it as "
    "`for epoch in watch.epochs(30)`"
)
_UNSAVED_STATE = f"the state is not put back: {_NOT_RESTORED}"


class LoopCheckpoints:
    """Saves the state of a loop after each epoch, and resumes from it.

    Args:
        folder: for the checkpoints of one loop; created if missing.
        keep: how many of the latest to keep.
        watched: the models and optimizers of the loop.
    """

    def __init__(self, folder: Path, keep: int, watched: Watched) -> None:
        self._series = CheckpointSeries(folder, keep)
        self._watched = watched
        self._is_given = False
        """Whether ``restore`` was given the state; the state itself is the script's alone."""
        self._unsaved: tuple[str, ...] = ()
        self._inexact: tuple[str, ...] = ()
        self._restored: tuple[object, ...] = ()
        self.positions: DatasetPositions | None = None
        """In the data; None before the loop begins."""
        self.first_epoch = 0
        """Complete epochs when the loop begins."""
        self.is_over = False
        """Whether a rerun leaves the loop out, since it begins with a later one."""

    def begin(self, recorder: FitRecorder, *given: object) -> None:
        """Restore the checkpoint that the loop resumes from, once.

        Args:
            recorder: of the loop, which began.
            given: the state that ``watch.restore`` was given, if it was called.
        """
        if self.positions is not None:
            return
        self.positions = DatasetPositions()
        mode = current_mode()

        def check(found: StoredCheckpoint) -> None:
            self._check(found, is_given=bool(given))

        with unrecorded():  # a checkpoint is not an input file of the script
            if mode.saves_checkpoints:
                found = self._series.begin(check)
            elif start := mode.beginning_of(recorder.number):
                found = self._series.begin_rerun(start, check)
                self.is_over = start.is_over
            else:
                found = None
            if found is not None:
                self._resume(found, recorder, given)
        self._is_given = bool(given)

    def _check(self, found: StoredCheckpoint, *, is_given: bool) -> None:
        """Check that a checkpoint belongs to this loop.

        Raises:
            CheckpointError: it is of another loop, or of another run of a sweep.
        """
        if "values" not in found.state:
            raise CheckpointError("it is of a fit, and not of a loop")
        if found.state["state"] is not None and not is_given:
            raise CheckpointError(_NOT_RESTORED)
        if not self._watched.is_built():
            raise CheckpointError(_UNBUILT)
        check_config(found.state["config"])
        check_values(self._watched.values, found.state["values"], found.pieces)

    def _resume(self, found: Found, recorder: FitRecorder, given: tuple[object, ...]) -> None:
        state, pieces = found.stored.state, found.stored.pieces
        restore_values(self._watched.values, state["values"], pieces)
        if state["state"] is not None:
            self._restored = (restored_tree(given[0], state["state"], pieces),)
        self.positions = DatasetPositions(state["datasets"])
        inexact = [*state["unsaved"], *differences_of_process(state)]
        inexact += restore_rng_states(unpack(state["generators"], pieces), registered_by_name())
        self._inexact = tuple(inexact)
        self._series.resumed(found)
        if inexact:
            warn_once(f"the training resumes, but not exactly: {'; '.join(inexact)}")
        self.first_epoch = found.written.epoch
        recorder.resume(
            Resumed(
                fit=1,
                epoch=found.written.epoch,
                step=int(state["step"]),
                path=str(state["path"]),
                digest=found.stored.digest,
                inexact=self._inexact,
            )
        )

    def restored(self, state: object) -> object:
        """Return the state of the checkpoint; ``state`` if the loop does not resume."""
        (restored,), self._restored = self._restored or (state,), ()
        return restored

    def save(self, recorder: FitRecorder, loop: RunningLoop, epoch: int) -> None:
        """Save the state of the loop after this many epochs, or warn."""
        positions = self.positions
        if positions is None:
            warn_once(_NOT_BEGUN)
            return
        if not self._series.saves:
            return
        self._warn_of_unsaved(loop, positions)
        with unrecorded():
            self._series.write(
                lambda entries: self._take(entries, loop, positions),
                recorder,
                epoch=epoch,
                step=recorder.steps,
                unsaved=[*self._unsaved, *self._inexact],
            )

    def _take(
        self, entries: Mapping[str, Any], loop: RunningLoop, positions: DatasetPositions
    ) -> Taken:
        variables = loop.read(anew=True)
        pieces = Pieces()
        has_state, passed = loop.passed_state()
        state: dict[str, Any] = {
            **entries,
            **state_of_process(_FRAMEWORKS),
            "values": save_values(self._watched.values, pieces),
            "state": save_leaves(passed, pieces) if has_state else None,
            "datasets": positions.state(),
            "generators": pack(rng_states(registered_by_name()), pieces),
        }
        return Taken(state, pieces.pieces, root_of_variables(variables))

    def _warn_of_unsaved(self, loop: RunningLoop, positions: DatasetPositions) -> None:
        found = guarded(
            lambda: self._find_unsaved(loop, positions), "what a checkpoint cannot hold"
        )
        reasons = [str(found)] if isinstance(found, Unavailable) else found
        for reason in reasons:
            if reason not in self._unsaved:
                self._unsaved += (reason,)
                warn_once(f"a resume of this training is not exact: {reason}")

    def _find_unsaved(self, loop: RunningLoop, positions: DatasetPositions) -> list[str]:
        reasons = positions.unsaved()
        if seed_of_process() is None:
            reasons.append(str(NOT_SEEDED))
        if loop.passed_state()[0] and not self._is_given:
            reasons.append(_UNSAVED_STATE)
        return reasons

    def end(self) -> None:
        """Note that the loop finished."""
        self._series.end()
