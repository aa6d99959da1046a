"""Reads the variables of a model. Reading is all that is done to them.

Reads what variables hold, all of them at once where the backend can. Nothing is changed.
"""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, cast

import keras

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array


class Model(Protocol):
    """What is read of a Keras model."""

    built: bool
    layers: list[Any]
    variables: list[Any]
    weights: list[Any]
    trainable_variables: list[Any]
    non_trainable_weights: list[Any]


class Reader:
    """Reads a model's variables again and again, without asking Keras for them each time.

    Walking through a model costs more than reading it. So variables that a model gets, or that
    change their group, are seen when it is walked through anew: at the first record of each epoch,
    and at its end.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.walk()

    def walk(self) -> None:
        """Look for the variables anew."""
        found = list(grouped(self._model))
        self._groups = [group for group, _ in found]
        self._labels = [str(one.path) for _, one in found]
        self._values = reading([one for _, one in found])

    def read(self) -> list[Variable]:
        """Return the variables on the host, by group, in the model's own order.

        On a CPU the values share the memory of the variables: let go of them before the model
        trains on, or TensorFlow copies a variable before it writes to it.
        """
        return list(map(Variable, self._groups, self._labels, self._values()))


def variables_of(model: Model) -> Iterator[Variable]:
    """Yield a model's variables on the host, by group, in the model's own order.

    Groups: ``trainable``; ``non_trainable`` (such as moving averages); ``seed`` (states of seed
    generators); ``optimizer`` (iterations, learning rate, slots). Metrics are not weights.
    """
    yield from Reader(model).read()


def grouped(model: Model) -> Iterator[tuple[str, Any]]:
    """Yield a model's variables themselves, with their groups, in the model's own order."""
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


def on_tensorflow() -> bool:
    """Tell whether Keras computes with TensorFlow."""
    return str(cast("Any", keras).backend.backend()) == "tensorflow"


def reading(variables: Sequence[Any]) -> Callable[[], list[Array]]:
    """Return what reads these variables of Keras, again and again, in their order.

    NOTE: Keras' own way makes NumPy warn on TensorFlow, an error where somebody wants warnings to
    be errors, and takes ten times as long; TensorFlow's ``numpy()`` copies. A tensor that is read
    shares the variable's memory, and stays as it is when the variable is written to: TensorFlow
    copies then. Source: tensorflow/core/kernels/training_op_helpers.h, PrepareToUpdateVariable.
    That copy costs the step more than digesting costs, so nothing is digested beside a step.
    """
    if not on_tensorflow():
        to_host = cast("Any", keras).ops.convert_to_numpy
        return lambda: [cast("Array", to_host(one)) for one in variables]
    return _Together(variables).read


_AT_ONCE = 64
"""Variables: what stands for as many stays in a core's cache until it is looked at."""


class _Together:
    """TensorFlow's variables. Those that lie in the host's memory are read many at once.

    One operation a variable takes 20 µs each, as much as digesting 600 kB. ``_ReadVariablesOp`` is
    what TensorFlow's own compiler reads variables with; where it is not to be had, each is read
    alone. Source: tensorflow/core/ops/resource_variable_ops.cc, TensorFlow 2.21.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self._alone = [_alone(variable) for variable in variables]
        self._parts: list[tuple[list[int], list[Any], tuple[Any, ...]]] = []
        by_device: defaultdict[str, list[int]] = defaultdict(list)
        for place, variable in enumerate(variables):
            value = variable.value
            if _is_plain(value) and "CPU" in value.handle.device:
                by_device[value.handle.device].append(place)
        for all_places in by_device.values():
            for first in range(0, len(all_places), _AT_ONCE):
                places = all_places[first : first + _AT_ONCE]
                values = [variables[place].value for place in places]
                kinds = tuple(value.dtype.as_datatype_enum for value in values)
                attributes = ("N", len(places), "dtypes", kinds)
                self._parts.append((places, [value.handle for value in values], attributes))

    def read(self) -> list[Array]:
        try:
            return self._read_together()
        except Exception:  # noqa: BLE001 - whatever a private operation raises
            self._parts = []
            return self._read_together()

    def _read_together(self) -> list[Array]:
        found: list[Any] = [None] * len(self._alone)
        for places, handles, attributes in self._parts:
            tensors = _read_all(handles, attributes)
            for place, array in zip(places, _arrays(tensors), strict=True):
                found[place] = array
        return [
            read() if array is None else array
            for array, read in zip(found, self._alone, strict=True)
        ]


def _read_all(handles: list[Any], attributes: tuple[Any, ...]) -> list[Any]:
    execute: Any = importlib.import_module("tensorflow.python.eager.execute")
    context: Any = importlib.import_module("tensorflow.python.eager.context")
    name = b"_ReadVariablesOp"
    return execute.execute(name, len(handles), handles, attributes, context.context())


def _arrays(tensors: list[Any]) -> list[Any]:
    """Return what tensors hold, in their memory.

    NOTE: NumPy asks a tensor for its array by way of Python, which takes twice as long as the
    method that does it. A tensor without axes gives a scalar, as NumPy has them.
    """
    numpy: Any = sys.modules["numpy"]
    found = [tensor._numpy_internal() for tensor in tensors]
    return [one if type(one) is numpy.ndarray else numpy.asarray(one) for one in found]


def _alone(variable: Any) -> Callable[[], Array]:
    value = variable.value
    if not _is_plain(value):
        return lambda: cast("Array", variable.value.numpy())  # one replica of a distributed one
    read: Any = sys.modules["tensorflow"].raw_ops.ReadVariableOp
    as_array: Any = sys.modules["numpy"].asarray
    return lambda: cast("Array", as_array(read(resource=value.handle, dtype=value.dtype)))


def _is_plain(value: Any) -> bool:
    return type(value).__name__ == "ResourceVariable"
