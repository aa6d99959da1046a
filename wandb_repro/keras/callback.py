"""The callback: counts steps, and tells the session when there is something to digest.

NOTE: a callback that overrides what Keras calls after a batch makes Keras wait for every step's
logs, and slows a GPU down, unless it says ``async_safe``: then Keras hands the logs over from a
thread of its own, as it does for its progress bar. Ours only puts them on a list there.
Source: keras/src/callbacks/callback_list.py, ``_configure_async_dispatch``, Keras 3.15.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import keras

from wandb_repro import api
from wandb_repro.capture.weights import Variable
from wandb_repro.errors import UsageError
from wandb_repro.keras.batches import Batches, FirstBatches
from wandb_repro.keras.fit_frame import Fit, changes_between_steps
from wandb_repro.keras.losses import Losses, number_of
from wandb_repro.keras.variables import Model, Reader, on_tensorflow
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail import Checkpoint, Granularity, Moment, Resumed, is_due
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.trail_sink import TrailSink

if TYPE_CHECKING:
    import wandb

__all__ = ["ReproCallback"]

_UNBUILT = (
    "the model was not built when fit began: it gets its weights inside the first step, "
    "whose digest stands in for the initial one; give it an Input layer to have both"
)
_LOSSES = "what Keras reports after the step: means over the epoch so far"
_ONLY_TRAINING = "no callback of this fit can change the weights between steps"
_COMPARED = "the weights are digested again when the step after each record begins"
_NOT_ASKED = "no digests of steps were asked for"


class ReproCallback(keras.callbacks.Callback):
    """Records a training so that it can be rerun exactly, and compares it when it is a rerun.

    Place it anywhere in the list: what it calls final is read after every other callback.

    Args:
        run: the W&B run to record into; None takes the active one.
        steps: digest the weights every so many steps, or after these steps, as well as at every
            epoch; None leaves it at epochs, the initial weights and the first step.

    Raises:
        UsageError: ``steps`` holds a number less than one.
    """

    async_safe = True
    """Tells Keras that what it calls after a batch may be called from another thread."""

    def __init__(
        self, *, run: wandb.Run | None = None, steps: int | Collection[int] | None = None
    ) -> None:
        super().__init__()
        self._steps = _checked(steps)
        self._run = run
        self._session: TrailSink | None = None
        self._reset()
        self._find_session()

    def _find_session(self) -> None:
        """Attach to the run that was given, else to the active one, unless that has happened."""
        import wandb

        if self._session is not None and not self._session.ended:
            return
        run = self._run or wandb.run
        if run is not None and api.find_session(run) is None:
            api.attach(run)
        self._session = None if run is None else api.find_session(run)

    def _reset(self) -> None:
        self._open = False
        self._number = 0
        self._step = 0
        self._in_epoch = 0
        self._new_epoch = True
        self._noted = 0
        self._epoch = 0
        self._digested = -1
        self._ended = False
        self._fit = Fit(None, {})
        self._reader: Reader | None = None
        self._losses = Losses(1)
        self._batches: Batches | Unavailable = Unavailable(unavailable=_NOT_ASKED)
        self._first: FirstBatches | Unavailable = Unavailable(unavailable=_NOT_ASKED)
        self._granularity: Granularity | None = None
        self._every, self._chosen = 0, tuple[int, ...]()
        self._at_once = 1
        self._suspicious = False
        self._root: str | None = None
        self._before: str | None = None
        self._thread = threading.get_ident()

    @property
    def _trained(self) -> Model:
        return cast("Model", cast("Any", self).model)

    @harmless("this fit")
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the initial weights."""
        del logs
        self._reset()
        self._find_session()
        fit = Fit.around(self)
        if _has_earlier(fit, self):
            return
        if self._session is None:
            self._tell_why_not()
            return
        self._open = True
        self._begin(self._session, fit)

    def _tell_why_not(self) -> None:
        import wandb

        if self._run is None and wandb.run is None:
            warn_once(
                "no W&B run is active, so nothing is recorded; "
                "call wandb_repro.init(...) before model.fit"
            )

    def _begin(self, session: TrailSink, fit: Fit) -> None:
        self._number = session.begin_fit(self._trained, fit.locals)
        self._at_once = int(getattr(self._trained, "steps_per_execution", 1) or 1)
        self._losses = Losses(self._at_once)
        self._plan(session, fit)
        self._stand_around(fit)
        _warn_of_same_order(fit)
        if _is_built(self._trained):
            self._digest("initial")
        else:
            session.missing("initial", _UNBUILT, epoch=0, step=0, fit=self._number)

    def _plan(self, session: TrailSink, fit: Fit) -> None:
        """Settle at which steps weights are digested, and say what that can show."""
        steps = self._steps if self._steps is not None else session.steps
        self._every = steps if isinstance(steps, int) else 0
        self._chosen = () if isinstance(steps, int) or steps is None else tuple(sorted(steps))
        asked = bool(self._every or self._chosen) or session.wants_steps(self._number)
        self._first = FirstBatches.of_fit(fit.locals)
        if asked:
            self._batches = Batches.of_fit(fit.locals)
            others = [one for one in fit.callbacks if one is not self]
            self._suspicious = any(map(changes_between_steps, others))
        self._say_plan(session, asked=asked)

    def _say_plan(self, session: TrailSink, *, asked: bool) -> None:
        before = _COMPARED if self._suspicious else _ONLY_TRAINING
        self._granularity = Granularity(
            fit=self._number,
            every=self._every,
            chosen=self._chosen,
            steps_at_once=self._at_once,
            losses=_LOSSES,
            before=before if asked else Unavailable(unavailable=_NOT_ASKED),
            data=self._batches.covers if isinstance(self._batches, Batches) else self._batches,
            first=self._first.covers if isinstance(self._first, FirstBatches) else self._first,
        )
        session.granularity(self._granularity)

    def _root_of_batches(self, session: TrailSink) -> str | None:
        """Return the root of the batches since the last step record; say once why there is none."""
        root = self._batches.root() if isinstance(self._batches, Batches) else None
        if not isinstance(root, Unavailable):
            return root
        plan = self._granularity
        if plan is not None and not isinstance(plan.data, Unavailable):
            self._granularity = plan.model_copy(update={"data": root})
            session.granularity(self._granularity)
        return None

    def _stand_around(self, fit: Fit) -> None:
        """Have weights read before every other callback of this list, and the final ones after."""
        self._fit = fit
        if fit.owner is not None:
            # NOTE: Keras goes through the old list now; a new one leaves that as it is.
            fit.owner.callbacks = [_First(self), *fit.callbacks, _Last(self)]

    def _stand_back(self) -> None:
        if self._fit.owner is not None:
            edges = (_First, _Last)
            kept = [one for one in self._fit.callbacks if not isinstance(one, edges)]
            self._fit.owner.callbacks = kept

    @harmless("the count of epochs")
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count."""
        del logs
        self._epoch = epoch
        self._in_epoch = 0
        self._new_epoch = True
        self._noted = 0
        if isinstance(self._first, FirstBatches):
            self._first.begin_epoch()
        self._ended = False
        self._losses.begin_epoch()
        if isinstance(self._batches, Batches):
            self._batches.begin_epoch()

    @harmless("the count of steps")
    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest what the step before left, where that was asked for."""
        del logs
        self._count(batch)
        self._ended = False
        if self._losses.ready():
            self._write_losses()

    @harmless("the values of a step")
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Keep loss and metrics; digest, where no step can be running by now."""
        if not self._open:
            return
        self._losses.take(batch, logs or {})
        self.step_ended(batch)

    def step_ended(self, batch: int) -> None:
        """Digest what a step left, if this is the thread that trains."""
        if self._open and threading.get_ident() == self._thread:
            steps = self._steps_told()
            self._count(batch + 1 if steps is None else min(batch + 1, steps))
            self._ended = True

    def _count(self, begun: int) -> None:
        """Note that so many steps of this epoch are over."""
        if begun > self._in_epoch:
            self._advance(begun - self._in_epoch)
            self._in_epoch = begun

    def _advance(self, steps: int) -> None:
        self._step += steps
        if isinstance(self._batches, Batches):
            self._batches.trained(steps)
        if isinstance(self._first, FirstBatches):
            self._first.trained(steps)
        session = self._session
        if self._open and self._in_epoch == 0:
            self._write_seen()  # before the weights are compared: it says why they may differ
        if not self._open or session is None or self._step == self._digested:
            return
        first = self._digested <= 0 < self._step
        due = is_due(self._step, self._every, self._chosen, steps)
        if first or due or self._is_wanted(session):
            self._digest("step")

    def _is_wanted(self, session: TrailSink) -> bool:
        return session.wants_step(self._step, fit=self._number, epochs=self._epoch)

    @harmless("an epoch")
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the weights with the epoch's loss and metrics."""
        if self._open:
            self._count(self._in_epoch + self._rest_of_epoch())
            self._write_losses(self._in_epoch)
            self._write_seen()
            self._epoch = epoch + 1
            self._digest("epoch", _exact(logs or {}))

    def _write_seen(self) -> None:
        """Note the batches that passed first, once they are more than were noted."""
        if self._session is None or isinstance(self._first, Unavailable):
            return
        if self._first.passed > self._noted:
            self._noted = self._first.passed
            batches, rows = self._first.so_far()
            self._session.seen(batches, rows, epoch=self._epoch, fit=self._number)

    def _rest_of_epoch(self) -> int:
        """Return how many steps ended since the last batch began.

        NOTE: of a pipeline whose length nobody knows, Keras begins one batch more than there is,
        and counts it as a step of the optimizer too. So do we.
        """
        if self._ended:
            return 0
        told = self._steps_told()
        rest = told - self._in_epoch if told is not None else self._at_once
        return rest if 0 <= rest <= self._at_once else self._at_once

    def _steps_told(self) -> int | None:
        """Return how many steps an epoch has; None where Keras does not know."""
        told = cast("dict[str, object]", cast("Any", self).params or {}).get("steps")
        return told if isinstance(told, int) else None

    def _write_losses(self, steps: int | None = None) -> None:
        if self._session is None or not self._open:
            return
        begun = self._step - self._in_epoch
        for run in self._losses.taken(steps):
            self._session.losses(
                run.values,
                fit=self._number,
                epoch=self._epoch,
                first=begun + run.first,
                every=self._at_once,
                last=begun + run.last,
            )

    @harmless("what changed between steps")
    def look_again(self) -> None:
        """Note the root of the weights if they are no longer what the last record says."""
        if self._open and self._suspicious and self._session and self._digested == self._step:
            self._before = self._session.root_now(list(self._read(anew=False)))

    @harmless("the end of this fit")
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the final weights, unless a later callback may still change them."""
        del logs
        if self._fit.owner is None:
            self.finish_fit()

    @harmless("the final weights")
    def finish_fit(self) -> None:
        """Digest the final weights, once."""
        if self._open and self._session is not None:
            self._write_losses()
            self._digest("final")
            self._open = False
            self._stand_back()
            self._session.end_fit(self._number)

    def number_of_fit(self, *, begun: bool) -> int:
        """Return the number of the fit that begins, as the trail has it.

        Args:
            begun: whether this callback was told of it already.
        """
        self._find_session()
        fits = self._session.fits if self._session is not None else 0
        return fits if begun else fits + 1

    @property
    def is_open(self) -> bool:
        """Whether this callback records a fit now."""
        return self._open

    @property
    def steps(self) -> int:
        """Steps of this fit that are complete, those before it was stopped included."""
        return self._step

    def pass_over(self, batches: int) -> None:
        """Note that so many batches will come by that were trained on before."""
        if isinstance(self._batches, Batches):
            self._batches.pass_over(batches)
        if isinstance(self._first, FirstBatches):
            self._first.pass_over(batches)

    @harmless("that the training went on")
    def went_on(self, record: Resumed) -> None:
        """Count on from a checkpoint, which was put back."""
        self._epoch, self._step = record.epoch, record.step
        self._digested = record.step  # by the epoch before the checkpoint, as if it had not stopped
        if self._session is not None:
            self._session.checkpoint(record.model_copy(update={"fit": self._number}))

    def note_checkpoint(self, record: Checkpoint) -> None:
        """Note a checkpoint of this fit."""
        if self._session is not None:
            self._session.checkpoint(record.model_copy(update={"fit": self._number}))

    def _digest(self, moment: Moment, metrics: Mapping[str, str] | None = None) -> None:
        if self._session is None:
            return
        of_step = moment == "step"
        before, self._before = (self._before, None) if of_step else (None, self._before)
        anew = not of_step or self._digested <= 0 or self._new_epoch
        self._new_epoch = False
        self._digested = self._step
        data = self._root_of_batches(self._session) if of_step else None
        self._session.weights(
            moment,
            self._read(anew=anew),
            epoch=self._epoch,
            step=self._step,
            metrics=metrics or {},
            fit=self._number,
            before=before,
            data=data,
        )

    def _read(self, *, anew: bool) -> Iterator[Variable]:
        """Yield the variables. They are looked for anew at every epoch: that takes longest.

        Nothing is read before the session asks, which turns an error into a reason, said once.
        """
        model = self._trained  # NOTE: asking Keras for it brings JAX's values up to date
        if self._reader is None:
            self._reader = Reader(model)
        elif anew:
            self._reader.walk()
        yield from self._reader.read()


class _Edge(keras.callbacks.Callback):
    """Stands at one end of the list of callbacks while a fit goes on."""

    async_safe = True

    def __init__(self, ours: ReproCallback) -> None:
        super().__init__()
        self._ours = weakref.ref(ours)


class _First(_Edge):
    """Stands before every other callback: what it sees is what the step left."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        ours = self._ours()
        if ours is not None:
            ours.on_train_batch_begin(batch, logs)

    @harmless("the weights after a step")
    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        ours = self._ours()
        if ours is not None:
            ours.step_ended(batch)


class _Last(_Edge):
    """Stands behind every other callback: EarlyStopping restores weights in its own end."""

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        del batch, logs
        ours = self._ours()
        if ours is not None:
            ours.look_again()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        ours = self._ours()
        if ours is not None:
            ours.finish_fit()


def _checked(steps: int | Collection[int] | None) -> int | tuple[int, ...] | None:
    """Return what ``steps=`` means.

    Raises:
        UsageError: it holds a number less than one, or none at all.
    """
    if steps is None:
        return None
    chosen = (steps,) if isinstance(steps, int) else tuple(steps)
    if not chosen or any(one < 1 for one in chosen):
        what = steps if isinstance(steps, int) else list(chosen)
        raise UsageError(f"steps={what} is not a number of steps; give 1 or more.")
    return steps if isinstance(steps, int) else tuple(sorted(set(chosen)))


def _has_earlier(fit: Fit, callback: ReproCallback) -> bool:
    """Tell whether another of our callbacks stands before this one: that one records."""
    ours = [one for one in fit.callbacks if isinstance(one, ReproCallback)]
    return bool(ours) and ours[0] is not callback


def _is_built(model: Model) -> bool:
    return bool(model.built) and all(layer.built for layer in model.layers)


def _exact(logs: Mapping[str, Any]) -> dict[str, str]:
    """Return loss and metrics as the exact bits Keras reports, ``float.hex``.

    A metric that is no single number, such as a confusion matrix, is left out.
    """
    numbers = {str(name): number_of(value) for name, value in logs.items()}
    return {name: number.hex() for name, number in numbers.items() if number is not None}


def _warn_of_same_order(fit: Fit) -> None:
    """Say that a seeded ``fit`` on arrays shows one order again and again on TensorFlow.

    Source: measured on digits, Keras 3.15 on TensorFlow 2.21: validation loss .105 against .090.
    """
    adapter = getattr(fit.locals.get("epoch_iterator"), "data_adapter", None)
    arrays = type(adapter).__name__ == "ArrayDataAdapter"
    epochs = fit.locals.get("epochs", 1) - fit.locals.get("initial_epoch", 0)
    if arrays and fit.locals.get("shuffle") is True and epochs > 1 and on_tensorflow():
        warn_once(
            "on TensorFlow a seeded fit on NumPy arrays shows the examples in the same order in "
            "every epoch; train on wandb_repro.keras.shuffled(x, y, batch_size) to reshuffle"
        )
