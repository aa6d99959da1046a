"""Reads the variables of a model. Reading is all that is done to them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, cast

import keras

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array

__all__ = ["Model", "Reader", "on_tensorflow", "variables_of"]


class Model(Protocol):
    """What is read of a Keras model."""

    built: bool
    layers: list[Any]
    variables: list[Any]
    weights: list[Any]
    trainable_variables: list[Any]
    non_trainable_weights: list[Any]


class _Place(NamedTuple):
    group: str
    label: str
    read: Callable[[], Array]


class Reader:
    """Reads a model's variables again and again, without asking Keras for them each time.

    Walking through a model costs more than reading it. So variables that a model gets, or that
    change their group, are seen when it is walked through anew.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._places: list[_Place] = []
        self.walk()

    def walk(self) -> None:
        """Look for the variables anew."""
        found = _grouped(self._model)
        self._places = [_Place(group, str(one.path), _reader_of(one)) for group, one in found]

    def read(self) -> list[Variable]:
        """Return the variables on the host, by group, in the model's own order.

        On a CPU the values share the memory of the variables: let go of them before the model
        trains on, or TensorFlow copies a variable before it writes to it.
        """
        return [Variable(group, label, read()) for group, label, read in self._places]


def variables_of(model: Model) -> Iterator[Variable]:
    """Yield a model's variables on the host, by group, in the model's own order.

    Groups: ``trainable``; ``non_trainable`` (such as moving averages); ``seed`` (states of seed
    generators); ``optimizer`` (iterations, learning rate, slots). Metrics are not weights.
    """
    yield from Reader(model).read()


def _grouped(model: Model) -> Iterator[tuple[str, Any]]:
    weights = {id(variable) for variable in model.weights}
    yield from (("trainable", found) for found in model.trainable_variables)
    yield from (("non_trainable", found) for found in model.non_trainable_weights)
    yield from (("seed", found) for found in model.variables if id(found) not in weights)
    for optimizer in _optimizers(model):
        yield from (("optimizer", found) for found in optimizer.variables)


def _optimizers(model: Model) -> list[Any]:
    """Return the optimizer of ``compile``, then those a model of its own kind holds (a GAN's)."""
    held = [getattr(model, "optimizer", None), *vars(model).values()]
    kind = cast("Any", keras).optimizers.Optimizer
    return list({id(one): one for one in held if isinstance(one, kind)}.values())


def _reader_of(variable: Any) -> Callable[[], Array]:
    """Return how a variable is read.

    NOTE: Keras' own way makes NumPy warn on TensorFlow, an error where somebody wants warnings to
    be errors, and takes ten times as long; TensorFlow's ``numpy()`` copies. A tensor that is read
    shares the variable's memory, and stays as it is when the variable is written to: TensorFlow
    copies then. Source: tensorflow/core/kernels/training_op_helpers.h, PrepareToUpdateVariable.
    """
    if not on_tensorflow():
        return lambda: cast("Array", cast("Any", keras).ops.convert_to_numpy(variable))
    value = variable.value
    if type(value).__name__ != "ResourceVariable":
        return lambda: cast("Array", variable.value.numpy())  # one replica of a distributed one
    tensorflow: Any = sys.modules["tensorflow"]
    read, handle, dtype = tensorflow.raw_ops.ReadVariableOp, value.handle, value.dtype
    as_array: Any = sys.modules["numpy"].asarray
    return lambda: cast("Array", as_array(read(resource=handle, dtype=dtype)))


def on_tensorflow() -> bool:
    """Tell whether Keras computes with TensorFlow."""
    return str(cast("Any", keras).backend.backend()) == "tensorflow"
