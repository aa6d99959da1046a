"""The callback that makes a stopped training resume exactly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import keras

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.errors import UsageError
from wandb_repro.keras.callback import ReproCallback
from wandb_repro.keras.checkpoint.best_epoch import BestEpoch
from wandb_repro.keras.checkpoint.training_state import TrainingState
from wandb_repro.keras.edges import Actions, restore, surround
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Resumed
from wandb_repro.recording.checkpoint_series import CheckpointSeries, Found
from wandb_repro.recording.fit.fit_recorder import FitRecorder
from wandb_repro.recording.messages import harmless, say, warn_once
from wandb_repro.recording.mode import current_mode
from wandb_repro.store.checkpoint_file import StoredCheckpoint


class ReproCheckpoint(keras.callbacks.Callback):
    """Saves everything that a training needs to resume exactly, and resumes from it.

    Start the same script again after it was stopped: ``fit`` resumes after the last saved epoch,
    and ends with the same bits as a training that was never stopped. A finished script starts
    over. Place it anywhere in the list: it saves after every other callback.

    It saves the weights, the optimizer, seed generators, the global generators of Python, NumPy,
    TensorFlow and torch, generators passed to ``wandb_repro.register``, the position in the data,
    and the state of the other callbacks. Before the first checkpoint, it warns of state that it
    cannot save.

    Args:
        folder: for the checkpoints of one training; created if missing.
        keep: how many of the latest checkpoints to keep, in addition to the best.
        monitor: metric that decides which is best; None takes ``val_loss`` if there is one, else
            ``loss``.
        mode: ``min``, ``max``, or ``auto`` to derive it from the metric.
        every: save after every N epochs, and after the last.
        resume: False starts over, and moves the old checkpoints to a folder inside this one.

    Raises:
        UsageError: an option has an invalid value.

    Example:
        >>> model.fit(dataset, epochs=30, callbacks=[ReproCheckpoint("checkpoints")])
    """

    async_safe = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        keep: int = 3,
        monitor: str | None = None,
        mode: str = "auto",
        every: int = 1,
        resume: bool = True,
    ) -> None:
        super().__init__()
        if keep < 1 or every < 1:
            raise UsageError(f"keep={keep} and every={every} must be 1 or more.")
        self._series = CheckpointSeries(Path(folder), keep, resume=resume)
        self._monitor, self._mode = monitor, mode
        self._best = BestEpoch(monitor, mode)
        self._every = every
        self._reset()

    def __getstate__(self) -> dict[str, Any]:
        """Return the options, for a copy or a pickle, which may be made inside a fit.

        A copy saves its own fits, into the same folder; it does not share the running fit.
        """
        return {**vars(self), **dict.fromkeys(_NOT_COPIED)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the options of the original."""
        vars(self).update(state)
        self._reset()

    def _reset(self) -> None:
        self._training: TrainingState | None = None
        self._found: StoredCheckpoint | None = None
        self._search = True
        self._unsaved = list[str]()
        self._inexact = list[str]()

    @property
    def _trained(self) -> Any:
        return cast("Any", self).model

    @harmless("checkpoints")
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Look for a checkpoint to resume from."""
        del logs
        self._reset()
        self._best = BestEpoch(self._monitor, self._mode)
        fit = FitFrame.around(self)
        if fit.callback_list is None:
            warn_once("no checkpoints are saved: Keras' list of callbacks was not found")
            return
        others = [other for other in fit.callbacks if other is not self and not _is_ours(other)]
        self._training = TrainingState(self._trained, fit, others)
        surround(fit, self, before=_BEFORE, after=_AFTER)
        training, mode = self._training, current_mode()
        with unrecorded():  # a checkpoint is not an input file of the script
            if mode.saves_checkpoints:
                if found := self._series.begin(training.check):
                    self._go_on(training, found)
            elif start := mode.beginning_of(self._number_in_run(fit)):
                found = self._series.begin_rerun(start, training.check)
                self._go_on(training, found, is_over=start.is_over)

    def _number_in_run(self, fit: FitFrame) -> int | None:
        """Return the number of the fit in the trail; None if no ReproCallback records it."""
        # The folder counts differently: a run may have fits without checkpoints, or two folders.
        callbacks = fit.callbacks
        ours = next((other for other in callbacks if isinstance(other, ReproCallback)), None)
        if ours is None:
            return None
        return ours.number_of_fit(begun=callbacks.index(ours) < callbacks.index(self))

    def _go_on(self, training: TrainingState, found: Found, *, is_over: bool = False) -> None:
        """Make ``fit`` start after a checkpoint; most state is restored when the epoch begins.

        ``is_over``: the original fit ended there, even if the checkpoint does not say so.
        """
        written, stored = found
        epochs = int(training.fit.locals.get("epochs", 0))
        initial = int(training.fit.locals.get("initial_epoch", 0) or 0)
        if written.epoch <= initial and not is_over:
            return
        self._found = stored
        over = is_over or bool(stored.state["stopped"]) or written.epoch >= epochs
        self._initial, self._trained._initial_epoch = (
            self._trained._initial_epoch,
            max(written.epoch, epochs) if over else written.epoch,
        )
        self._inexact = [*stored.state["unsaved"], *training.differences(stored)]
        self._best.restore(stored.state["best"])
        self._series.resumed(found)
        if over:  # Keras finalizes the optimizer's averages before a callback is called again
            training.restore_weights(stored)

    @harmless("what the checkpoint holds")
    def restore(self) -> None:
        """Restore the checkpoint, once, before any other callback acts."""
        found, training = self._found, self._training
        if found is None or training is None:
            return
        self._found = None
        self._trained._initial_epoch = self._initial
        recorder = self._recorder()
        epoch, step = int(found.state["epoch"]), int(found.state["step"])
        training.restore_weights(found)
        self._inexact += training.restore_callbacks(found)
        self._inexact += training.restore_data(
            found, recorder.skip_batches if recorder else _say_skipping
        )
        if self._inexact:
            warn_once(f"the training resumes, but not exactly: {'; '.join(self._inexact)}")
        if recorder is not None:
            recorder.resume(
                Resumed(
                    fit=1,
                    epoch=epoch,
                    step=step,
                    path=str(found.state["path"]),
                    digest=found.digest,
                    inexact=tuple(self._inexact),
                )
            )

    def _recorder(self) -> FitRecorder | None:
        """Return the recorder of this fit; None if it is not recorded."""
        callbacks = self._training.fit.callbacks if self._training else []
        ours = (callback for callback in callbacks if isinstance(callback, ReproCallback))
        return next((callback.recorder for callback in ours if callback.recorder), None)

    def see_validation(self) -> None:
        """Count the iterators made of the validation data."""
        if self._training is not None:
            self._training.position.see_validation(
                getattr(self._trained, "_eval_epoch_iterator", None)
            )

    @harmless("a checkpoint")
    def save(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Save the state after this many epochs, if due; every other callback has acted."""
        training = self._training
        if training is None or not self._series.saves:
            return
        stopped = bool(self._trained.stop_training)
        last = stopped or epoch >= int(training.fit.locals.get("epochs", 0))
        self._warn_of_unsaved(training)
        if epoch % self._every and not last:
            return
        self._best.see(epoch, logs, self._trained)
        recorder = self._recorder()
        more = {"stopped": stopped, "best": self._best.state()}
        self._series.write(
            lambda entries: training.take({**entries, **more}),
            recorder,
            epoch=epoch,
            step=recorder.steps if recorder else _iterations(self._trained),
            unsaved=[*self._unsaved, *self._inexact],
            best=self._best.epoch,
        )

    def _warn_of_unsaved(self, training: TrainingState) -> None:
        """Warn of state that a checkpoint cannot save, before the first checkpoint is used."""
        search, self._search = self._search, False  # searching graphs takes long: once
        unsaved = guarded(lambda: training.unsaved(search=search), "what a checkpoint cannot hold")
        reasons = [unsaved] if isinstance(unsaved, Unavailable) else unsaved
        for reason in map(str, reasons):
            if reason not in self._unsaved:
                self._unsaved.append(reason)
                warn_once(f"a resume of this training is not exact: {reason}")

    def finish(self) -> None:
        """Note that ``fit`` returned; remove our entries from the ends of Keras' list."""
        training, self._training = self._training, None
        self._series.end()
        if training is not None:
            restore(training.fit.callback_list, self)
        # A callback that the script keeps would keep the model alive.
        cast("Any", self).set_model(None)


def _say_skipping(batches: int) -> None:
    if batches > 1000:
        say(f"skipping {batches:,} batches, up to where the training stopped")


def _iterations(model: Any) -> int:
    found = getattr(getattr(model, "optimizer", None), "iterations", 0)
    return int(cast("Any", keras).ops.convert_to_numpy(found))


def _is_ours(callback: object) -> bool:
    return type(callback).__module__.split(".")[0] == "wandb_repro"


_NOT_COPIED = ("_training", "_found", "_unsaved", "_inexact", "_model", "params")

_BEFORE: Actions[ReproCheckpoint] = {
    "on_epoch_begin": lambda ours, _, __: ours.restore(),
    "on_test_begin": lambda ours, _, __: ours.see_validation(),
    "on_train_end": lambda ours, _, __: ours.restore(),
}
_AFTER: Actions[ReproCheckpoint] = {
    "on_epoch_end": lambda ours, epoch, logs: ours.save(epoch + 1, logs or {}),
    "on_train_end": lambda ours, _, __: ours.finish(),
}
