"""Reads TensorFlow's variables, many at once. Nothing is changed, and nothing is imported."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array


def owns(value: object) -> bool:
    """Tell whether this is a variable or a module of TensorFlow, or has only such variables."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if not hasattr(tensorflow, "Module"):  # not imported, or still being imported
        return False
    if isinstance(value, (tensorflow.Variable, tensorflow.Module)):
        return True
    variables: Any = getattr(value, "variables", None)  # optimizers of tf_keras and Sonnet
    if not isinstance(variables, Sequence) or not variables:
        return False
    return all(isinstance(each, tensorflow.Variable) for each in cast("Sequence[Any]", variables))


def grouped(value: object) -> list[tuple[str, str, Any]]:
    """Return group, label and variable of all variables of a module, an optimizer or a variable.

    Labels are the names that the variables were given, such as ``dense/kernel``.
    """
    tensorflow: Any = sys.modules["tensorflow"]
    found: Any = value
    if isinstance(value, tensorflow.Variable):
        return [(_group(found), _label(found), found)]
    if not isinstance(value, tensorflow.Module):
        return [("optimizer", _label(each), each) for each in found.variables]
    groups = [(_group(each), _label(each), each) for each in found.variables]
    # As a model's: first what is trained.
    return sorted(groups, key=lambda entry: entry[0] != "trainable")


def _group(variable: Any) -> str:
    return "trainable" if variable.trainable else "non_trainable"


def _label(variable: Any) -> str:
    return str(variable.name).removesuffix(":0")


def read_module(module: object) -> list[Variable]:
    """Return the variables of a ``tf.Module`` or one ``tf.Variable`` on the host."""
    return read(grouped(module))


def read(found: Iterable[tuple[str, str, Any]]) -> list[Variable]:
    """Return variables on the host, given with their groups and labels."""
    entries = list(found)
    values = reading([variable for _, _, variable in entries])()
    return [
        Variable(group, label, value)
        for (group, label, _), value in zip(entries, values, strict=True)
    ]


def reading(variables: Sequence[Any]) -> Callable[[], list[Array]]:
    """Return a function that reads these ``tf.Variable``s, in their order.

    A tensor that is read shares the variable's memory and never changes: TensorFlow copies before
    it writes to the variable.
    Source: tensorflow/core/kernels/training_op_helpers.h, PrepareToUpdateVariable.
    That copy costs a step more than digesting does, so nothing is digested while a step runs.
    """
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
            if _is_plain(variable) and "CPU" in variable.handle.device:
                by_device[variable.handle.device].append(index)
        for on_device in by_device.values():
            for first in range(0, len(on_device), _AT_ONCE):
                indices = on_device[first : first + _AT_ONCE]
                values = [variables[index] for index in indices]
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
    as_array: Any = sys.modules["numpy"].asarray
    if not _is_plain(variable):
        return lambda: cast("Array", as_array(variable.numpy()))  # a replica, if distributed
    read: Any = sys.modules["tensorflow"].raw_ops.ReadVariableOp
    return lambda: cast("Array", as_array(read(resource=variable.handle, dtype=variable.dtype)))


def _is_plain(variable: Any) -> bool:
    return type(variable).__name__ == "ResourceVariable"
