"""The callback that makes a training go on as though it had not stopped."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import keras

from wandb_repro import api
from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.errors import CheckpointError, UsageError
from wandb_repro.keras.callback import ReproCallback
from wandb_repro.keras.checkpoint.best_epoch import Best
from wandb_repro.keras.checkpoint.training_state import Training
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.messages import harmless, say, warn_once
from wandb_repro.store.checkpoint_file import StoredCheckpoint, read_checkpoint
from wandb_repro.store.checkpoint_folder import Shelf, Written

__all__ = ["ReproCheckpoint"]

_fits: dict[Path, int] = {}
"""How many fits of this process were begun with checkpoints in a folder."""


class ReproCheckpoint(keras.callbacks.Callback):
    """Saves all that a training needs to go on exactly, and goes on from it.

    Start the same script again after it was stopped: ``fit`` goes on behind the last epoch that was
    saved, and ends with the bits of a training that never stopped. A script that came to its end
    begins anew. Place it anywhere in the list: it saves after every other callback.

    Kept are the weights, the optimizer, seed generators, the global generators of Python, NumPy,
    TensorFlow and torch and those given to ``wandb_repro.register``, the place in the data, and
    the state of the other callbacks. What cannot be kept is said before the first one is saved.

    Args:
        folder: for the checkpoints of one training; made where it is missing.
        keep: how many of the last ones are kept, beside the best.
        monitor: metric that tells the best; None takes ``val_loss`` where there is one, else
            ``loss``.
        mode: ``min``, ``max``, or ``auto`` to tell it from the metric.
        every: save at the end of every so many epochs, and of the last one.
        resume: False begins anew, and sets aside what is in the folder.

    Raises:
        UsageError: an option has a value that cannot be.
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
            raise UsageError(f"keep={keep} and every={every} have to be 1 or more.")
        self._shelf = Shelf(Path(folder).absolute(), keep)
        self._monitor, self._mode = monitor, mode
        self._best = Best(monitor, mode)
        self._every = every
        self._resume = resume
        self._reset()

    def _reset(self) -> None:
        self._training: Training | None = None
        self._found: StoredCheckpoint | None = None
        self._number = 0
        self._saves = False
        self._open = False
        self._looked = False
        self._begun_with: int | None = None
        self._unsaved: list[str] = []
        self._inexact: list[str] = []

    @property
    def _trained(self) -> Any:
        return cast("Any", self).model

    # -- the beginning

    @harmless("checkpoints")
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Look for a checkpoint to go on from."""
        del logs
        self._reset()
        self._best = Best(self._monitor, self._mode)
        fit = FitFrame.around(self)
        if fit.callback_list is None:
            warn_once("no checkpoints are saved: Keras' list of callbacks was not found")
            return
        others = [one for one in fit.callbacks if one is not self and not _is_ours(one)]
        self._training = Training(self._trained, fit, others)
        fit.callback_list.callbacks = [_First(self), *fit.callbacks, _Last(self)]
        self._open = True
        request = api.request_of_rerun()
        with unrecorded():  # a checkpoint is no file that the script reads
            if request is not None:
                self._begin_rerun(request, self._training)
                return
            _fits[self._shelf.folder] = self._number = _fits.get(self._shelf.folder, 0) + 1
            self._saves = world_of(os.environ).rank == 0
            self._begin(self._training)

    def _begin(self, training: Training) -> None:
        if self._number == 1 and (self._shelf.has_ended or not self._resume):
            self._begin_anew()
        found = self._shelf.newest(self._number, self._tell_passed_over)
        if found is not None:
            written, stored = found
            try:
                training.check(stored)
            except CheckpointError as error:
                self._refuse(written, error)
            else:
                self._go_on(training, written, stored)
        if self._saves and self._number == 1:
            guarded(lambda: self._shelf.mark("runs"), "the folder of checkpoints")
            _at_exit(self)

    def _begin_anew(self) -> None:
        if self._shelf.has_ended and self._saves:
            number = self._shelf.clear()
            if number:
                say(f"the training in {self._shelf.folder} came to its end; this one begins anew")
        elif self._saves:
            self._set_aside("resume=False")

    def _tell_passed_over(self, why: str) -> None:
        warn_once(f"checkpoint passed over: {why} The one before it is taken, if there is one")

    def _refuse(self, written: Written, error: CheckpointError) -> None:
        self._set_aside(f"{written.path.name} cannot be gone on from: {error.message}")

    def _set_aside(self, why: str) -> None:
        aside = self._shelf.set_aside() if self._saves else None
        if aside is not None:
            warn_once(f"{why}; training begins anew, and what was there is kept in {aside}")

    def _begin_rerun(self, request: RerunRequest, training: Training) -> None:
        """Neither read nor write the user's folder; start where the rerun was told to."""
        number = self._number_in_run(training.fit)
        one = next((it for it in request.beginnings if it.fit == number), None)
        if one is None:
            return
        path = Path(one.checkpoint)
        try:
            stored = read_checkpoint(path, one.checkpoint_sha256)
            training.check(stored)
        except CheckpointError as error:
            say(f"the rerun cannot begin with its checkpoint: {error.message}")
            raise RerunStopped(1) from error
        written = Written(path, one.fit, int(stored.state["epoch"]))
        self._go_on(training, written, stored, is_over=one.is_over)

    def _number_in_run(self, fit: FitFrame) -> int | None:
        """Return the number that the trail gives a fit that begins; None where none records it.

        A folder's own count is another: a run may have fits without checkpoints, or two folders.
        """
        ours = next((one for one in fit.callbacks if isinstance(one, ReproCallback)), None)
        if ours is None:
            return None
        return ours.number_of_fit(begun=fit.callbacks.index(ours) < fit.callbacks.index(self))

    def _go_on(
        self,
        training: Training,
        written: Written,
        stored: StoredCheckpoint,
        *,
        is_over: bool = False,
    ) -> None:
        """Have ``fit`` begin behind a checkpoint; all else is put back when its epoch begins.

        ``is_over`` tells that it ended there, where the checkpoint does not tell by itself.
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
        self._inexact = [*stored.state["unsaved"], *training.others_than(stored)]
        self._best.put_back(stored.state["best"])
        say(f"going on after epoch {written.epoch}, from {written.path}")
        if over:  # Keras finalizes the optimizer's averages before a callback is called again
            training.put_back_weights(stored)

    # -- while it trains

    @harmless("what the checkpoint holds")
    def put_back(self) -> None:
        """Put back what the checkpoint holds, before any other callback acts; once."""
        found, training = self._found, self._training
        if found is None or training is None:
            return
        self._found = None
        self._trained._initial_epoch = self._initial
        ours = self._recording()
        epoch, step = int(found.state["epoch"]), int(found.state["step"])
        training.put_back_weights(found)
        self._inexact += training.put_back_callbacks(found)
        self._inexact += training.put_back_data(found, ours.skip_batches if ours else _said)
        if self._inexact:
            warn_once(f"the training goes on, but not exactly: {'; '.join(self._inexact)}")
        if ours is not None:
            ours.resume(
                Resumed(
                    fit=1,
                    epoch=epoch,
                    step=step,
                    path=str(found.state["path"]),
                    digest=found.digest,
                    inexact=tuple(self._inexact),
                )
            )

    def _recording(self) -> ReproCallback | None:
        """Return the callback that records this fit; None where none does."""
        there = self._training.fit.callbacks if self._training else []
        return next((one for one in there if isinstance(one, ReproCallback) and one.is_open), None)

    def see_validation(self) -> None:
        """Count what is used of the validation data."""
        if self._training is not None:
            self._training.position.see_validation(
                getattr(self._trained, "_eval_epoch_iterator", None)
            )

    @harmless("a checkpoint")
    def save(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Save the state after an epoch, if it is due; every other callback has acted.

        Args:
            epoch: epochs that are complete.
            logs: loss and metrics of the last.
        """
        training = self._training
        if training is None or not self._saves:
            return
        stopped = bool(self._trained.stop_training)
        last = stopped or epoch >= int(training.fit.locals.get("epochs", 0))
        self._tell_unsaved(training)
        if epoch % self._every and not last:
            return
        is_best = self._best.see(epoch, logs, self._trained)
        told = {
            "fit": self._number,
            "epoch": epoch,
            "stopped": stopped,
            "unsaved": [*self._unsaved, *self._inexact],
            "best": self._best.told(),
            "path": "",
        }
        self._write(training, told, is_best=is_best)

    def _tell_unsaved(self, training: Training) -> None:
        """Say what a resume would do otherwise, before one relies on the first checkpoint."""
        whole = not self._looked  # walking through graphs takes long: once
        self._looked = True
        found = guarded(lambda: training.unsaved(whole=whole), "what a checkpoint cannot hold")
        told = [str(found)] if isinstance(found, Unavailable) else [str(one) for one in found]
        for one in told:
            if one not in self._unsaved:
                self._unsaved.append(one)
                warn_once(f"a resume of this training is not exact: {one}")

    def _write(self, training: Training, told: dict[str, Any], *, is_best: bool) -> None:
        ours, epoch = self._recording(), int(told["epoch"])
        step = ours.steps if ours else _iterations(self._trained)
        path = self._shelf.folder / f"fit-{self._number}-epoch-{epoch:05d}.ckpt"
        try:
            taken = training.take({**told, "step": step, "path": str(path)})
            written, digest = self._shelf.write(self._number, epoch, taken.state, taken.pieces)
        except (OSError, CheckpointError, TypeError) as error:
            why = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
            warn_once(f"no checkpoint in {self._shelf.folder}: {why}; training goes on without")
            self._record(ours, epoch, step, str(path), reason=str(why))
            return
        record = {"digest": digest, "size_bytes": written.path.stat().st_size, "root": taken.root}
        self._record(ours, epoch, step, str(path), best=is_best, unsaved=told["unsaved"], **record)
        for gone in self._shelf.tidy(self._number, self._best.epoch, self._begun_with):
            self._record(ours, gone.written.epoch, 0, str(gone.written.path), reason=gone.reason)

    def _record(
        self, ours: ReproCallback | None, epoch: int, step: int, path: str, **told: Any
    ) -> None:
        if ours is not None:
            unsaved = tuple(told.pop("unsaved", ()))
            ours.note_checkpoint(
                Checkpoint(fit=1, epoch=epoch, step=step, path=path, unsaved=unsaved, **told)
            )

    # -- the end

    def finish(self) -> None:
        """Note that ``fit`` returned, and take away what stood around the other callbacks."""
        training, self._training = self._training, None
        self._open = False
        if training is not None:
            kept = [one for one in training.fit.callbacks if not isinstance(one, _Edge)]
            training.fit.callback_list.callbacks = kept

    def end_script(self) -> None:
        """Note that the script came to its end, unless an exception or a signal ended it."""
        failed = getattr(sys, "last_type", None) is not None
        if not failed and not self._open and self._shelf.folder.is_dir():
            guarded(lambda: self._shelf.mark("ended"), "the folder of checkpoints")


def _said(batches: int) -> None:
    if batches > 1000:
        say(f"passing {batches:,} batches again, up to where the training stopped")


def _iterations(model: Any) -> int:
    found = getattr(getattr(model, "optimizer", None), "iterations", 0)
    return int(cast("Any", keras).ops.convert_to_numpy(found))


def _at_exit(callback: ReproCheckpoint) -> None:
    atexit.register(callback.end_script)


def _is_ours(callback: object) -> bool:
    return type(callback).__module__.split(".")[0] == "wandb_repro"


class _Edge(keras.callbacks.Callback):
    """Stands at one end of the list of callbacks while a fit goes on."""

    async_safe = True

    def __init__(self, ours: ReproCheckpoint) -> None:
        super().__init__()
        self._ours = weakref.ref(ours)


class _First(_Edge):
    """Puts back before any other callback acts."""

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        del epoch, logs
        ours = self._ours()
        if ours is not None:
            ours.put_back()

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        ours = self._ours()
        if ours is not None:
            ours.see_validation()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        ours = self._ours()
        if ours is not None:
            ours.put_back()


class _Last(_Edge):
    """Saves after every other callback has acted."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        ours = self._ours()
        if ours is not None:
            ours.save(epoch + 1, logs or {})

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        ours = self._ours()
        if ours is not None:
            ours.finish()
