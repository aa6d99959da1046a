"""Reads the variables of a model, many at once if the backend can. Nothing is changed."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array


class Model(Protocol):
    """The attributes that are read of a Keras model."""

    built: bool
    layers: list[Any]
    variables: list[Any]
    weights: list[Any]
    trainable_variables: list[Any]
    non_trainable_weights: list[Any]


class Reader:
    """Reads a model's variables repeatedly, without searching the model each time.

    Searching a model takes longer than reading it. New variables, and variables that change their
    group, are therefore noticed only by the next ``walk``: at the first record and the end of each
    epoch.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.walk()

    def walk(self) -> None:
        """Search the model for variables."""
        variables = list(grouped(self._model))
        self._groups = [group for group, _ in variables]
        self._labels = [str(variable.path) for _, variable in variables]
        self._values = reading([variable for _, variable in variables])

    def read(self) -> list[Variable]:
        """Return the variables on the host, by group, in the model's order.

        On a CPU the values share the memory of the variables: drop them before the training
        continues, or TensorFlow copies a variable before it writes to it.
        """
        return list(map(Variable, self._groups, self._labels, self._values()))


def variables_of(model: Model) -> Iterator[Variable]:
    """Yield a model's variables on the host, by group, in the model's order.

    Groups: ``trainable``; ``non_trainable`` (such as moving averages); ``seed`` (states of seed
    generators); ``optimizer`` (iterations, learning rate, slots). Metrics are not weights.
    """
    yield from Reader(model).read()


def grouped(model: Model) -> Iterator[tuple[str, Any]]:
    """Yield a model's variables themselves, with their groups, in the model's order."""
    weights = {id(variable) for variable in model.weights}
    yield from (("trainable", found) for found in model.trainable_variables)
    yield from (("non_trainable", found) for found in model.non_trainable_weights)
    yield from (("seed", found) for found in model.variables if id(found) not in weights)
    for optimizer in _optimizers(model):
        yield from (("optimizer", found) for found in optimizer.variables)


def _optimizers(model: Model) -> list[Any]:
    """Return the optimizer of ``compile``, then those in attributes of the model, as in a GAN."""
    values = [getattr(model, "optimizer", None), *vars(model).values()]
    kind = _keras().optimizers.Optimizer
    return list({id(value): value for value in values if isinstance(value, kind)}.values())


def on_tensorflow() -> bool:
    """Tell whether Keras computes with TensorFlow."""
    return str(_keras().backend.backend()) == "tensorflow"


def _keras() -> Any:
    # Whoever has a model has imported Keras; the layers above import this module without it.
    return sys.modules["keras"]


def reading(variables: Sequence[Any]) -> Callable[[], list[Array]]:
    """Return a function that reads these variables of Keras, in their order.

    NOTE: on TensorFlow, Keras' conversion makes NumPy warn, which is an error under ``-W error``,
    and takes ten times as long; TensorFlow's ``numpy()`` copies. A tensor that is read shares the
    variable's memory and never changes: TensorFlow copies before it writes to the variable.
    Source: tensorflow/core/kernels/training_op_helpers.h, PrepareToUpdateVariable.
    That copy costs a step more than digesting does, so nothing is digested while a step runs.
    """
    if not on_tensorflow():
        to_host = _keras().ops.convert_to_numpy
        return lambda: [cast("Array", to_host(variable)) for variable in variables]
    return _Together(variables).read


_AT_ONCE = 64
"""Variables read at once: their Python objects stay in a core's cache until they are used."""


class _Together:
    """TensorFlow's variables. Variables in the host's memory are read many at once.

    An operation per variable takes 20 µs, as long as digesting 600 kB. TensorFlow's compiler reads
    variables with ``_ReadVariablesOp``; if that is missing, each variable is read on its own.
    Source: tensorflow/core/ops/resource_variable_ops.cc, TensorFlow 2.21.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self._alone = [_alone(variable) for variable in variables]
        self._parts: list[tuple[list[int], list[Any], tuple[Any, ...]]] = []
        by_device: defaultdict[str, list[int]] = defaultdict(list)
        for index, variable in enumerate(variables):
            value = variable.value
            if _is_plain(value) and "CPU" in value.handle.device:
                by_device[value.handle.device].append(index)
        for on_device in by_device.values():
            for first in range(0, len(on_device), _AT_ONCE):
                indices = on_device[first : first + _AT_ONCE]
                values = [variables[index].value for index in indices]
                kinds = tuple(value.dtype.as_datatype_enum for value in values)
                attributes = ("N", len(indices), "dtypes", kinds)
                self._parts.append((indices, [value.handle for value in values], attributes))

    def read(self) -> list[Array]:
        try:
            return self._read_together()
        except Exception:  # noqa: BLE001 - a private operation may raise anything
            self._parts = []
            return self._read_together()

    def _read_together(self) -> list[Array]:
        arrays: list[Any] = [None] * len(self._alone)
        for indices, handles, attributes in self._parts:
            tensors = _read_all(handles, attributes)
            for index, array in zip(indices, _arrays(tensors), strict=True):
                arrays[index] = array
        return [
            read() if array is None else array
            for array, read in zip(arrays, self._alone, strict=True)
        ]


def _read_all(handles: list[Any], attributes: tuple[Any, ...]) -> list[Any]:
    execute: Any = importlib.import_module("tensorflow.python.eager.execute")
    context: Any = importlib.import_module("tensorflow.python.eager.context")
    name = b"_ReadVariablesOp"
    return execute.execute(name, len(handles), handles, attributes, context.context())


def _arrays(tensors: list[Any]) -> list[Any]:
    """Return the arrays of tensors, in the tensors' memory."""
    # NOTE: numpy.asarray(tensor) takes twice as long, since it calls this method through Python.
    # A tensor without axes returns a NumPy scalar.
    numpy: Any = sys.modules["numpy"]
    values = [tensor._numpy_internal() for tensor in tensors]
    return [value if type(value) is numpy.ndarray else numpy.asarray(value) for value in values]


def _alone(variable: Any) -> Callable[[], Array]:
    value = variable.value
    if not _is_plain(value):
        return lambda: cast("Array", variable.value.numpy())  # a replica, if it is distributed
    read: Any = sys.modules["tensorflow"].raw_ops.ReadVariableOp
    as_array: Any = sys.modules["numpy"].asarray
    return lambda: cast("Array", as_array(read(resource=value.handle, dtype=value.dtype)))


def _is_plain(value: Any) -> bool:
    return type(value).__name__ == "ResourceVariable"
