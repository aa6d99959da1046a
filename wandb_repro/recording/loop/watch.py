"""Records a training loop of one's own, as ``ReproCallback`` records a ``fit``."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast
from weakref import WeakSet

from wandb_repro.errors import UsageError
from wandb_repro.recording.attach import active_run, attached, find_session, options_of
from wandb_repro.recording.children.handover import is_child
from wandb_repro.recording.fit.fit_recorder import FitRecorder, checked_steps
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.loop.loop_checkpoints import LoopCheckpoints
from wandb_repro.recording.loop.running_loop import RunningLoop
from wandb_repro.recording.loop.step_values import is_traced, kept_values, read_values
from wandb_repro.recording.loop.watched_batches import WatchedBatches
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.process_state import process
from wandb_repro.recording.start_run import start_in_child
from wandb_repro.recording.trail_sink import TrailSink
from wandb_repro.state.watched import Watched

if TYPE_CHECKING:
    import wandb

T = TypeVar("T")

_TRACED = (
    "watch.step was called inside a function that is traced (tf.function, jax.jit, or the "
    "train_step of a fit), which runs once and not in each step: nothing is recorded there; "
    "call it after the function"
)


class Watch:
    """A training loop that is recorded; ``wandb_repro.watch`` makes it.

    It keeps the models and optimizers that it was given until it finishes.
    """

    _recorder: FitRecorder | None = None
    """Records the loop; None before its first batch or step, and after it finished."""

    def __init__(
        self,
        models: Sequence[object],
        optimizers: Sequence[object] = (),
        *,
        steps: int | Collection[int] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        keep: int = 3,
        run: wandb.Run | None = None,
    ) -> None:
        if keep < 1:
            raise UsageError(f"keep={keep} must be 1 or more.")
        self._steps = checked_steps(steps)
        self._watched = Watched(models, optimizers)
        self._checkpoints: LoopCheckpoints | None = None
        if checkpoint is not None:
            self._checkpoints = LoopCheckpoints(Path(checkpoint), keep, self._watched)
        self._run = run
        self._lock = threading.RLock()  # loops may take their steps in several threads
        self._epoch = 0
        self._loop: RunningLoop | None = None
        self._is_over = False
        if active_run() is not None or run is not None or is_child():
            self._find_sink()

    def batches(self, dataset: Iterable[T]) -> WatchedBatches[T]:
        """Return an iterable over ``dataset`` that passes each batch on unchanged.

        The initial state is digested when the first iteration begins. The first two batches of each
        epoch are digested, and all of them if steps are.

        Args:
            dataset: anything that a ``for`` loop takes: a ``tf.data.Dataset``, a ``DataLoader``,
                a generator.

        Example:
            >>> for batch in watch.batches(dataset):
            ...     watch.step(loss=train_step(batch))
        """
        return WatchedBatches(dataset, self._begin_batches, self._show, self._end_batches)

    def epochs(self, count: int) -> Iterator[int]:
        """Yield the number of each epoch to train, from 0, and end each as ``watch.epoch()`` does.

        With ``checkpoint=``, a loop that was stopped resumes after its last complete epoch, and a
        rerun can begin there (``wandb-repro rerun RUN --from-epoch N``). Call ``watch.epoch``
        yourself, at the end of the body, to pass values.

        Args:
            count: of epochs in the whole training.

        Example:
            >>> watch = wandb_repro.watch(model, optimizers=[optimizer], checkpoint="checkpoints")
            >>> for epoch in watch.epochs(30):
            ...     for batch in watch.batches(dataset):
            ...         watch.step(loss=train_step(batch))
        """
        self._resume()
        checkpoints = self._checkpoints
        if checkpoints is not None and checkpoints.is_over:
            return
        for epoch in range(self._epoch, count):
            yield epoch
            if self._epoch == epoch:
                self.epoch()
        if checkpoints is not None:
            checkpoints.end()

    def restore(self, state: T) -> T:
        """Return the state of the checkpoint that the loop resumes from, else ``state``.

        For loops whose arrays are made anew in each step, as with JAX: call it before
        ``watch.epochs``. Models and optimizers that are changed in place need no call.

        Args:
            state: the pytree that ``watch.step`` gets, as it is before training.

        Returns:
            A pytree of the same structure, dtypes, shapes and devices.

        Example:
            >>> params, opt_state = watch.restore((params, opt_state))
        """
        self._resume(state)
        checkpoints = self._checkpoints
        return state if checkpoints is None else cast("T", checkpoints.restored(state))

    @harmless("a step")
    def step(self, state: object = None, /, **values: object) -> None:
        """Note that one optimizer step is complete.

        Args:
            state: what the loop trains, if its arrays are made anew in each step, as with JAX: any
                pytree of arrays.
            values: losses and metrics of this step, each a single number of Python, NumPy or any
                framework. They are read later, many at once, so that no step waits for a device.
                None is left out.

        Example:
            >>> watch.step(loss=loss, d_loss=d_loss)
            >>> watch.step((params, opt_state), loss=loss)
        """
        if is_traced(state, values):
            warn_once(_TRACED)
            return
        with self._lock:
            recorder, loop = self._recorder, self._loop
            if recorder is None:  # asked here first, since a call costs a step microseconds
                recorder, loop = self._recording(late=True)
            if recorder is None or loop is None:
                return
            loop.step_done(state)
            recorder.step_done(kept_values("watch.step", values))

    @harmless("an epoch")
    def epoch(self, /, **values: object) -> None:
        """Note that an epoch is complete, and digest the state.

        Args:
            values: losses and metrics of the epoch, as in ``step``.
        """
        with self._lock:
            recorder, loop = self._recording(late=True)
            if recorder is None or loop is None:
                return
            recorder.epoch_ended(self._epoch, read_values("watch.epoch", values))
            self._epoch += 1
            if self._checkpoints is not None:
                self._checkpoints.save(recorder, loop, self._epoch)
            loop.epoch_ended()
            recorder.epoch_began(self._epoch)

    def finish(self, *, complete: bool = True) -> None:
        """Digest the final state, once; the end of the run does so too.

        A loop with ``checkpoint=`` that is left by ``break`` resumes when the script is started
        again, unless this was called: then the script starts over.

        Args:
            complete: False if an exception ended the loop: nothing is digested then, since it may
                have stopped in the middle of a step.
        """
        checkpoints = self._checkpoints
        self.close(complete=complete)
        if complete and checkpoints is not None:
            checkpoints.end()

    @harmless("the end of a loop")
    def close(self, *, complete: bool = True) -> None:
        """Do what ``finish`` does, for a loop that nobody said is over: its checkpoints are kept.

        Args:
            complete: as in ``finish``.
        """
        with self._lock:
            recorder = self._recorder
            self._is_over = True
            self._recorder = self._loop = self._checkpoints = None
            if recorder is not None:
                recorder.end(complete=complete)
            self._watched = Watched(())

    def __enter__(self) -> Watch:
        """Digest the initial state."""
        self._begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish, also if an exception left the loop."""
        self.finish(complete=kind is None or (kind is SystemExit))

    def __del__(self) -> None:
        # The loop's function returned: what it trained is still here, held by this object.
        if self._recorder is not None and not sys.is_finalizing():
            with contextlib.suppress(RerunStopped):  # nothing can be raised from here
                self.close()

    @harmless("the start of a loop")
    def _begin(self) -> None:
        with self._lock:
            self._recording(late=False)

    @harmless("a checkpoint to resume from")
    def _resume(self, *state: object) -> None:
        with self._lock:
            recorder, _ = self._recording(late=False)
            if recorder is not None and self._checkpoints is not None and not self._epoch:
                self._checkpoints.begin(recorder, *state)
                self._epoch = self._checkpoints.first_epoch
                recorder.epoch_began(self._epoch)

    @harmless("the start of a loop")
    def _begin_batches(self, dataset: object) -> None:
        self._begin()
        if self._checkpoints is not None and self._checkpoints.positions is not None:
            self._checkpoints.positions.begin(dataset)

    @harmless("the end of a dataset")
    def _end_batches(self, dataset: object, exhausted: bool) -> None:
        if self._checkpoints is not None and self._checkpoints.positions is not None:
            self._checkpoints.positions.end(dataset, exhausted=exhausted)

    @harmless("a batch")
    def _show(self, batch: object) -> None:
        if self._loop is not None:
            self._loop.show(batch)

    def _recording(self, *, late: bool) -> tuple[FitRecorder | None, RunningLoop | None]:
        """Return the recorder and its loop, begun; None if nothing is recorded."""
        if self._recorder is None:
            self._start(late=late)
        return self._recorder, self._loop

    def _start(self, *, late: bool) -> None:
        if self._is_over:
            warn_once("a watch was used after it finished: nothing more is recorded")
            return
        sink = self._find_sink()
        if sink is None:
            _warn_of_no_run(self._run)
            return
        loop = RunningLoop(self._watched, late=late)
        recorder = FitRecorder(sink, loop, self._steps)
        # Before it begins: a rerun may stop there.
        self._recorder, self._loop = recorder, loop
        process.open_watches.setdefault(sink, WeakSet()).add(self)
        recorder.begin()
        recorder.epoch_began(0)

    def _find_sink(self) -> TrailSink | None:
        """Return the session of the given run, else of the active run; attach if needed."""
        if self._run is None:
            start_in_child()
        run = self._run or active_run()
        if run is None:
            return None
        if find_session(run) is None:
            attached(run, options_of(seed=None, deterministic=None, code="auto", strict=False))
        return find_session(run)


def _warn_of_no_run(run: object) -> None:
    if run is None and active_run() is None:
        warn_once(
            "no W&B run is active, so this loop is not recorded; "
            "call wandb_repro.init(...) before wandb_repro.watch"
        )
