"""The callback that records a training: passes the events of a fit to its recorder."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, cast

import keras

from wandb_repro.api import attach
from wandb_repro.keras import open_fits
from wandb_repro.keras.copied_run import run_id, run_of
from wandb_repro.keras.edges import Actions, restore, surround
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.keras.running_fit import KerasFit, warn_of_repeated_order
from wandb_repro.recording.attach import active_run, find_session
from wandb_repro.recording.fit.fit_recorder import FitRecorder, checked_steps
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.trail_sink import TrailSink

if TYPE_CHECKING:
    import wandb


class ReproCallback(keras.callbacks.Callback):
    """Records a training so that it can be rerun exactly; in a rerun, compares it as well.

    Place it anywhere in the list: the final weights are read after every other callback.

    Args:
        run: the W&B run to record into; None takes the active run.
        steps: also digest the weights every N steps, or after these steps; None digests only the
            initial weights, the first step and each epoch.

    Raises:
        UsageError: ``steps`` is or contains a number less than 1.

    Example:
        >>> model.fit(dataset, epochs=3, callbacks=[ReproCallback(steps=100)])
    """

    # NOTE: without this, a callback with a hook after a batch makes Keras wait for every step's
    # logs, which slows a GPU down. With it, Keras passes the logs from its own thread, as it does
    # for its progress bar; ours only appends them to a list there.
    # Source: keras/src/callbacks/callback_list.py, ``_configure_async_dispatch``, Keras 3.15.
    async_safe = True

    def __init__(
        self, *, run: wandb.Run | None = None, steps: int | Collection[int] | None = None
    ) -> None:
        super().__init__()
        self._steps = checked_steps(steps)
        self._run = run
        self._sink: TrailSink | None = None
        self.recorder: FitRecorder | None = None
        """Records the running fit; None between fits, or if another callback records it."""
        self._callback_list: Any = None
        """Keras' list, while ours surround its callbacks."""
        self._find_sink()

    def __getstate__(self) -> dict[str, Any]:
        """Return the options, for a copy or a pickle, which may be made inside a fit.

        A copy records its own fits, into the same run; it does not share the running fit.
        """
        return {**vars(self), **_NOT_COPIED, "_run": run_id(self._run)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the options of the original, and find its run again."""
        vars(self).update(state)
        self._run = run_of(state["_run"])

    def _find_sink(self) -> None:
        """Take the session of the given run, else of the active run; attach if needed."""
        if self._sink is not None and not self._sink.ended:
            return
        run = self._run or active_run()
        if run is not None and find_session(run) is None:
            attach(run)
        self._sink = None if run is None else find_session(run)

    @harmless("this fit")
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the initial weights."""
        del logs
        self.recorder, self._callback_list = None, None
        self._find_sink()
        frame = FitFrame.around(self)
        if _has_earlier(frame, self):
            return
        if self._sink is None:
            self._warn_of_no_run()
            return
        self.recorder = FitRecorder(self._sink, KerasFit(self, frame), self._steps)
        self._surround(frame)
        self.recorder.begin()
        open_fits.note_begin(self._sink, self.recorder.number, frame.id)
        warn_of_repeated_order(frame.locals)

    def _warn_of_no_run(self) -> None:
        if self._run is None and active_run() is None:
            warn_once(
                "no W&B run is active, so nothing is recorded; "
                "call wandb_repro.init(...) before model.fit"
            )

    def _surround(self, frame: FitFrame) -> None:
        """Read weights before every other callback in the list, and the final weights after all."""
        self._callback_list = frame.callback_list
        if frame.callback_list is not None:
            surround(frame, self, before=_BEFORE, after=_AFTER)

    @harmless("the count of epochs")
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count the epoch."""
        del logs
        if self.recorder is not None:
            self.recorder.epoch_began(epoch)

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest what the step before left, if that is due."""
        del logs
        if self._callback_list is None:
            self.batch_began(batch)

    @harmless("the count of steps")
    def batch_began(self, batch: int) -> None:
        """Digest what the step before left, if that is due."""
        if self.recorder is not None:
            self.recorder.batch_began(batch)

    @harmless("the values of a step")
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep loss and metrics; digest, if no step can be running now."""
        if self.recorder is not None:
            self.recorder.batch_ended(batch, logs or {})
            if self._callback_list is None:
                self.recorder.step_ended(batch)

    @harmless("the weights after a step")
    def step_ended(self, batch: int) -> None:
        """Digest the weights after a step, if this is the thread that trains."""
        if self.recorder is not None:
            self.recorder.step_ended(batch)

    @harmless("what changed between steps")
    def all_acted(self) -> None:
        """Digest the weights again, after every other callback."""
        if self.recorder is not None:
            self.recorder.all_acted()

    @harmless("an epoch")
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the weights with the epoch's loss and metrics."""
        if self.recorder is not None:
            self.recorder.epoch_ended(epoch, logs or {})

    @harmless("the end of this fit")
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the final weights, unless a later callback may still change them."""
        del logs
        if self._callback_list is None:
            self.finish_fit()

    @harmless("the final weights")
    def finish_fit(self) -> None:
        """Digest the final weights, once."""
        recorder, self.recorder = self.recorder, None
        if recorder is None or self._sink is None:
            return
        if self._callback_list is not None:
            restore(self._callback_list, self)
            self._callback_list = None
        open_fits.note_end(self._sink, recorder.number)
        try:
            recorder.end()
        finally:
            # A callback that the script keeps would keep the model alive.
            cast("Any", self).set_model(None)

    def number_of_fit(self, *, begun: bool) -> int:
        """Return the number that the beginning fit has in the trail.

        Args:
            begun: whether Keras called this callback's ``on_train_begin`` already.
        """
        self._find_sink()
        fits = self._sink.fits if self._sink is not None else 0
        return fits if begun else fits + 1


_NOT_COPIED = dict.fromkeys(("_sink", "recorder", "_callback_list", "_model", "params"))

_BEFORE: Actions[ReproCallback] = {
    # The weights after a step are read before another callback may change them.
    "on_train_batch_begin": lambda ours, batch, _: ours.batch_began(batch),
    "on_train_batch_end": lambda ours, batch, _: ours.step_ended(batch),
}
_AFTER: Actions[ReproCallback] = {
    "on_train_batch_begin": lambda ours, _, __: ours.all_acted(),
    # EarlyStopping restores weights when training ends.
    "on_train_end": lambda ours, _, __: ours.finish_fit(),
}


def _has_earlier(frame: FitFrame, callback: ReproCallback) -> bool:
    """Tell whether an earlier ReproCallback in the list records this fit."""
    first = next((other for other in frame.callbacks if isinstance(other, ReproCallback)), callback)
    return first is not callback
