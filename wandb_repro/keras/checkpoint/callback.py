"""The callback that makes a stopped training resume exactly."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import keras

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.errors import CheckpointError, UsageError
from wandb_repro.keras.callback import ReproCallback
from wandb_repro.keras.checkpoint.best_epoch import BestEpoch
from wandb_repro.keras.checkpoint.training_state import TrainingState
from wandb_repro.keras.edges import Actions, restore, surround
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.fit.fit_recorder import FitRecorder
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.messages import harmless, say, warn_once
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.process_state import process
from wandb_repro.store.checkpoint_file import StoredCheckpoint, read_checkpoint
from wandb_repro.store.checkpoint_folder import Shelf, Written


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
        self._shelf = Shelf(Path(folder).absolute(), keep)
        self._monitor, self._mode = monitor, mode
        self._best = BestEpoch(monitor, mode)
        self._every = every
        self._resume = resume
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
        self._number = 0
        self._saves = False
        self._search = True
        self._begun_with: int | None = None
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
        process.open_checkpoints.add(self._shelf.folder)
        mode = current_mode()
        with unrecorded():  # a checkpoint is not an input file of the script
            if mode.saves_checkpoints:
                self._begin(self._training)
            elif start := mode.beginning_of(self._number_in_run(fit)):
                self._begin_rerun(start, self._training)

    def _begin(self, training: TrainingState) -> None:
        fits, folder = process.checkpointed_fits, self._shelf.folder
        fits[folder] = self._number = fits.get(folder, 0) + 1
        self._saves = world_of(os.environ).rank == 0
        if self._number == 1 and (self._shelf.has_ended or not self._resume):
            self._start_over()
        newest = self._shelf.newest(self._number, self._warn_of_skipped)
        if newest is not None:
            written, stored = newest
            try:
                training.check(stored)
            except CheckpointError as error:
                self._set_aside(f"cannot resume from {written.path.name}: {error.message}")
            else:
                self._go_on(training, written, stored)
        if self._saves and self._number == 1:
            guarded(lambda: self._shelf.mark("runs"), "the folder of checkpoints")
            # NOTE: not a method of this callback, which would keep its model alive.
            atexit.register(end_script, self._shelf)

    def _start_over(self) -> None:
        if not self._saves:
            return
        if not self._shelf.has_ended:
            self._set_aside("resume=False")
        elif self._shelf.clear():
            say(f"the training in {self._shelf.folder} has finished; this one starts over")

    def _warn_of_skipped(self, why: str) -> None:
        warn_once(f"checkpoint skipped: {why} The previous one is used, if there is one")

    def _set_aside(self, why: str) -> None:
        aside = self._shelf.set_aside() if self._saves else None
        if aside is not None:
            warn_once(f"{why}; training starts over, and the old files are kept in {aside}")

    def _begin_rerun(self, start: Beginning, training: TrainingState) -> None:
        path = Path(start.checkpoint)
        try:
            stored = read_checkpoint(path, start.checkpoint_sha256)
            training.check(stored)
        except CheckpointError as error:
            say(f"the rerun cannot start from its checkpoint: {error.message}")
            raise RerunStopped(1) from error
        written = Written(path, start.fit, int(stored.state["epoch"]))
        self._go_on(training, written, stored, is_over=start.is_over)

    def _number_in_run(self, fit: FitFrame) -> int | None:
        """Return the number of the fit in the trail; None if no ReproCallback records it."""
        # The folder counts differently: a run may have fits without checkpoints, or two folders.
        callbacks = fit.callbacks
        ours = next((other for other in callbacks if isinstance(other, ReproCallback)), None)
        if ours is None:
            return None
        return ours.number_of_fit(begun=callbacks.index(ours) < callbacks.index(self))

    def _go_on(
        self,
        training: TrainingState,
        written: Written,
        stored: StoredCheckpoint,
        *,
        is_over: bool = False,
    ) -> None:
        """Make ``fit`` start after a checkpoint; most state is restored when the epoch begins.

        ``is_over``: the original fit ended there, even if the checkpoint does not say so.
        """
        epochs = int(training.fit.locals.get("epochs", 0))
        initial = int(training.fit.locals.get("initial_epoch", 0) or 0)
        if written.epoch <= initial and not is_over:
            return
        self._found, self._begun_with = stored, written.epoch
        over = is_over or bool(stored.state["stopped"]) or written.epoch >= epochs
        self._initial, self._trained._initial_epoch = (
            self._trained._initial_epoch,
            max(written.epoch, epochs) if over else written.epoch,
        )
        self._inexact = [*stored.state["unsaved"], *training.differences(stored)]
        self._best.restore(stored.state["best"])
        say(f"resuming after epoch {written.epoch} from {written.path}")
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
        if training is None or not self._saves:
            return
        stopped = bool(self._trained.stop_training)
        last = stopped or epoch >= int(training.fit.locals.get("epochs", 0))
        self._warn_of_unsaved(training)
        if epoch % self._every and not last:
            return
        is_best = self._best.see(epoch, logs, self._trained)
        entries = {
            "fit": self._number,
            "epoch": epoch,
            "stopped": stopped,
            "unsaved": [*self._unsaved, *self._inexact],
            "best": self._best.state(),
            "path": "",
        }
        self._write(training, entries, is_best=is_best)

    def _warn_of_unsaved(self, training: TrainingState) -> None:
        """Warn of state that a checkpoint cannot save, before the first checkpoint is used."""
        search, self._search = self._search, False  # searching graphs takes long: once
        unsaved = guarded(lambda: training.unsaved(search=search), "what a checkpoint cannot hold")
        reasons = [unsaved] if isinstance(unsaved, Unavailable) else unsaved
        for reason in map(str, reasons):
            if reason not in self._unsaved:
                self._unsaved.append(reason)
                warn_once(f"a resume of this training is not exact: {reason}")

    def _write(self, training: TrainingState, entries: dict[str, Any], *, is_best: bool) -> None:
        recorder, epoch = self._recorder(), int(entries["epoch"])
        step = recorder.steps if recorder else _iterations(self._trained)
        folder = self._shelf.folder
        path = folder / f"fit-{self._number}-epoch-{epoch:05d}.ckpt"
        try:
            taken = training.take({**entries, "step": step, "path": str(path)})
            written, digest = self._shelf.write(self._number, epoch, taken.state, taken.pieces)
        except (OSError, CheckpointError, TypeError) as error:
            why = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
            warn_once(f"no checkpoint in {folder}: {why}; training continues without it")
            self._record(recorder, epoch, step, str(path), reason=str(why))
            return
        record = {"digest": digest, "size_bytes": written.path.stat().st_size, "root": taken.root}
        self._record(
            recorder, epoch, step, str(path), best=is_best, unsaved=entries["unsaved"], **record
        )
        for gone in self._shelf.tidy(self._number, self._best.epoch, self._begun_with):
            self._record(
                recorder, gone.written.epoch, 0, str(gone.written.path), reason=gone.reason
            )

    def _record(
        self, recorder: FitRecorder | None, epoch: int, step: int, path: str, **fields: Any
    ) -> None:
        if recorder is not None:
            unsaved = tuple(fields.pop("unsaved", ()))
            recorder.note_checkpoint(
                Checkpoint(fit=1, epoch=epoch, step=step, path=path, unsaved=unsaved, **fields)
            )

    def finish(self) -> None:
        """Note that ``fit`` returned; remove our entries from the ends of Keras' list."""
        training, self._training = self._training, None
        process.open_checkpoints.discard(self._shelf.folder)
        if training is not None:
            restore(training.fit.callback_list, self)
        # A callback that the script keeps would keep the model alive.
        cast("Any", self).set_model(None)


def end_script(shelf: Shelf) -> None:
    """Note that the script finished, unless an exception or a signal ended it."""
    failed = getattr(sys, "last_type", None) is not None
    is_open = shelf.folder in process.open_checkpoints
    if not failed and not is_open and shelf.folder.is_dir():
        guarded(lambda: shelf.mark("ended"), "the folder of checkpoints")


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
