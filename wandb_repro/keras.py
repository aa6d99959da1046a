"""The door to Keras: a callback that forwards to the session, and reads variables.

Reading a variable is all that is done to a model. Nothing is overridden that Keras calls after a
batch: that would make it wait for every step's logs, and slow a GPU down.
Source: keras/src/callbacks/callback_list.py, ``_async_train``, Keras 3.15.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import keras

from wandb_repro import hook
from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.errors import UsageError
from wandb_repro.manifest.trail import Moment
from wandb_repro.session.notices import harmless, warn_once
from wandb_repro.session.session import Session

if TYPE_CHECKING:
    import wandb

__all__ = ["ReproCallback", "variables_of"]

_UNBUILT = (
    "the model was not built when fit began: it gets its weights inside the first step, "
    "whose digest stands in for the initial one; give it an Input layer to have both"
)


class _Model(Protocol):
    """What is read of a Keras model."""

    built: bool
    layers: list[Any]
    variables: list[Any]
    weights: list[Any]
    trainable_variables: list[Any]
    non_trainable_weights: list[Any]


def variables_of(model: _Model) -> Iterator[Variable]:
    """Yield a model's variables on the host, by group, in the model's own order.

    Groups: ``trainable``; ``non_trainable`` (such as moving averages); ``seed`` (states of seed
    generators); ``optimizer`` (iterations, learning rate, slots). Metrics are not weights.
    """
    weights = {id(variable) for variable in model.weights}
    yield from _group("trainable", model.trainable_variables)
    yield from _group("non_trainable", model.non_trainable_weights)
    yield from _group("seed", (found for found in model.variables if id(found) not in weights))
    optimizer = getattr(model, "optimizer", None)
    yield from _group("optimizer", optimizer.variables if optimizer is not None else ())


def _group(group: str, variables: Any) -> Iterator[Variable]:
    for variable in variables:
        yield Variable(group, str(variable.path), _on_host(variable))


def _on_host(variable: Any) -> Array:
    """Return a variable's value.

    NOTE: Keras' own way makes NumPy warn on TensorFlow, an error where somebody wants warnings to
    be errors, and takes twice as long. Source: measured, Keras 3.15, NumPy 2.4.
    """
    if _on_tensorflow():
        return cast("Array", variable.value.numpy())
    return cast("Array", cast("Any", keras).ops.convert_to_numpy(variable))


class ReproCallback(keras.callbacks.Callback):
    """Records a training so that it can be rerun exactly, and compares it when it is a rerun.

    Place it anywhere in the list: what it calls final is read after every other callback.

    Args:
        run: the W&B run to record into; None takes the active one.
        steps: digest the weights every so many steps as well as at every epoch; None leaves it at
            epochs, the initial weights and the first step.

    Raises:
        UsageError: ``steps`` is less than one.
    """

    def __init__(self, *, run: wandb.Run | None = None, steps: int | None = None) -> None:
        super().__init__()
        if steps is not None and steps < 1:
            raise UsageError(f"steps={steps} is not a number of steps; give 1 or more.")
        self._run = run
        self._steps = steps
        self._session: Session | None = None
        self._last: _Last | None = None
        self._reset()
        self._find_session()

    def _find_session(self) -> None:
        """Attach to the run that was given, else to the active one, unless that has happened."""
        import wandb

        if self._session is not None and not self._session.ended:
            return
        run = self._run or wandb.run
        if run is not None and hook.find_session(run) is None:
            hook.attach(run)
        self._session = None if run is None else hook.find_session(run)

    def _reset(self) -> None:
        self._open = False
        self._step = 0
        self._in_epoch = 0
        self._epoch = 0
        self._digested = -1

    @property
    def _trained(self) -> _Model:
        return cast("_Model", cast("Any", self).model)

    @harmless("this fit")
    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the initial weights."""
        del logs
        self._reset()
        self._find_session()
        fit = _Fit.around(self)
        if fit.has_earlier(self):
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

    def _begin(self, session: Session, fit: _Fit) -> None:
        session.begin_fit(self._trained)
        self._come_last(fit)
        _warn_of_same_order(fit)
        if _is_built(self._trained):
            self._digest("initial")
        else:
            session.missing("initial", _UNBUILT, epoch=0, step=0)

    def _come_last(self, fit: _Fit) -> None:
        """Have the final weights read after every other callback of this list."""
        self._last = None
        if fit.callbacks is not None:
            self._last = _Last(self)
            fit.callbacks.append(self._last)

    @harmless("the count of epochs")
    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count."""
        del logs
        self._epoch = epoch
        self._in_epoch = 0

    @harmless("the count of steps")
    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest what the step before left, where that was asked for."""
        del logs
        if batch > self._in_epoch:
            self._step += batch - self._in_epoch
            self._in_epoch = batch
            self._after_step()

    def _after_step(self) -> None:
        session = self._session
        if not self._open or session is None or self._step == self._digested:
            return
        steps = self._steps or session.options.steps
        first = self._digested <= 0 < self._step
        every = steps is not None and self._step % steps == 0
        if first or every or session.original_has_step(self._step):
            self._digest("step")

    @harmless("an epoch")
    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the weights with the epoch's loss and metrics."""
        if self._open:
            self._step += self._rest_of_epoch()
            self._after_step()
            self._epoch = epoch + 1
            self._digest("epoch", _exact(logs or {}))

    def _rest_of_epoch(self) -> int:
        """Return how many steps ended since the last batch began.

        NOTE: of a pipeline whose length nobody knows, Keras begins one batch more than there is,
        and counts it as a step of the optimizer too. So do we.
        """
        params = cast("dict[str, object]", cast("Any", self).params or {})
        told = params.get("steps")
        at_once = int(getattr(self._trained, "steps_per_execution", 1) or 1)
        rest = told - self._in_epoch if isinstance(told, int) else at_once
        return rest if 0 <= rest <= at_once else at_once

    @harmless("the end of this fit")
    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the final weights, unless a later callback may still change them."""
        del logs
        if self._last is None:
            self.finish_fit()

    @harmless("the final weights")
    def finish_fit(self) -> None:
        """Digest the final weights, once."""
        if self._open and self._session is not None:
            self._open = False
            self._digest("final")
            self._session.end_fit()

    def _digest(self, moment: Moment, metrics: Mapping[str, str] | None = None) -> None:
        if self._session is None:
            return
        self._digested = self._step
        self._session.weights(
            moment,
            variables_of(self._trained),
            epoch=self._epoch,
            step=self._step,
            metrics=metrics or {},
        )


class _Last(keras.callbacks.Callback):
    """Stands behind every other callback: EarlyStopping restores weights in its own end."""

    def __init__(self, first: ReproCallback) -> None:
        super().__init__()
        self._first = weakref.ref(first)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        del logs
        first = self._first()
        if first is not None:
            first.finish_fit()


def _is_built(model: _Model) -> bool:
    return bool(model.built) and all(layer.built for layer in model.layers)


def _exact(logs: Mapping[str, Any]) -> dict[str, str]:
    """Return loss and metrics as the exact bits Keras reports, ``float.hex``.

    A metric that is no single number, such as a confusion matrix, is left out.
    """
    exact: dict[str, str] = {}
    for name, value in logs.items():
        if getattr(value, "shape", ()) != ():
            continue
        try:
            exact[str(name)] = float(value).hex()
        except (TypeError, ValueError, OverflowError):
            continue
    return exact


class _Fit(NamedTuple):
    """What of the ``fit`` that is running a callback is not told.

    NOTE: Keras gives a callback neither its list nor fit's arguments; both stand in the frames
    that called ``on_train_begin``. Where they do not, the final weights are those that our
    callback sees, the same order is not warned of, and nothing else is lost.
    """

    callbacks: list[keras.callbacks.Callback] | None
    locals: Mapping[str, Any]

    @classmethod
    def around(cls, callback: ReproCallback) -> _Fit:
        frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        for _ in range(_DEPTH):
            if frame is None:
                break
            owner = frame.f_locals.get("self")
            found: object = getattr(owner, "callbacks", None)
            if owner is not callback and isinstance(found, list) and callback in found:
                fit = frame.f_back
                in_fit = fit is not None and fit.f_code.co_name == "fit"
                return cls(
                    cast("list[keras.callbacks.Callback]", found),
                    fit.f_locals if fit is not None and in_fit else {},
                )
            frame = frame.f_back
        return cls(None, {})

    def has_earlier(self, callback: ReproCallback) -> bool:
        """Tell whether another of our callbacks stands before this one: that one records."""
        ours = [one for one in self.callbacks or () if isinstance(one, ReproCallback)]
        return bool(ours) and ours[0] is not callback


_DEPTH = 8
"""Frames between ours and that of Keras' list of callbacks: one decorator more or less."""


def _warn_of_same_order(fit: _Fit) -> None:
    """Say that a seeded ``fit`` on arrays shows one order again and again on TensorFlow.

    Source: measured on digits, Keras 3.15 on TensorFlow 2.21: validation loss .105 against .090.
    """
    adapter = getattr(fit.locals.get("epoch_iterator"), "data_adapter", None)
    arrays = type(adapter).__name__ == "ArrayDataAdapter"
    epochs = fit.locals.get("epochs", 1) - fit.locals.get("initial_epoch", 0)
    if arrays and fit.locals.get("shuffle") is True and epochs > 1 and _on_tensorflow():
        warn_once(
            "on TensorFlow a seeded fit on NumPy arrays shows the examples in the same order in "
            "every epoch; train on tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x))"
            ".batch(...) to reshuffle"
        )


def _on_tensorflow() -> bool:
    return str(cast("Any", keras).backend.backend()) == "tensorflow"
