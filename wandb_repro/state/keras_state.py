"""Reads the variables of a model, many at once if the backend can. Nothing is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.state import tensorflow_state


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


def grouped(model: Model, *, optimizers: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield a model's variables themselves, with their groups, in the model's order.

    Args:
        model: a Keras model.
        optimizers: whether the variables of its optimizers follow.
    """
    weights = {id(variable) for variable in model.weights}
    yield from (("trainable", found) for found in model.trainable_variables)
    yield from (("non_trainable", found) for found in model.non_trainable_weights)
    yield from (("seed", found) for found in model.variables if id(found) not in weights)
    for optimizer in optimizers_of(model) if optimizers else ():
        yield from (("optimizer", found) for found in optimizer.variables)


def owns(value: object) -> bool:
    """Tell whether this is a layer, a model, an optimizer, a metric or a variable of Keras."""
    keras: Any = sys.modules.get("keras")
    if not hasattr(keras, "optimizers"):  # not imported, or still being imported
        return False
    kinds = (keras.Layer, keras.optimizers.Optimizer, keras.metrics.Metric, keras.Variable)
    return isinstance(value, kinds)


def labelled(value: object) -> list[tuple[str, str, Any]]:
    """Return group, label and variable of all variables of an object that Keras ``owns``."""
    keras, it = _keras(), cast("Any", value)
    if isinstance(value, keras.Layer):
        found = list(grouped(it))
    elif isinstance(value, keras.optimizers.Optimizer):
        found = [("optimizer", variable) for variable in it.variables]
    elif isinstance(value, keras.Variable):
        found = [("trainable" if it.trainable else "non_trainable", it)]
    else:
        found = [("non_trainable", variable) for variable in it.variables]
    return [(group, str(variable.path), variable) for group, variable in found]


def is_built(value: object) -> bool:
    """Tell whether a model, and each of its layers, has its weights; true of anything else."""
    layers = getattr(value, "layers", ())
    return bool(getattr(value, "built", True)) and all(layer.built for layer in layers)


def optimizers_of(model: object) -> list[Any]:
    """Return the optimizer of ``compile``, then those in attributes of the model, as in a GAN."""
    values = [getattr(model, "optimizer", None), *vars(model).values()]
    kind = _keras().optimizers.Optimizer
    return list({id(value): value for value in values if isinstance(value, kind)}.values())


def _keras() -> Any:
    # Imported by whoever made the model: loose variables of TensorFlow are read without Keras.
    return sys.modules["keras"]


def on_tensorflow() -> bool:
    """Tell whether Keras computes with TensorFlow."""
    return str(_keras().backend.backend()) == "tensorflow"


def reading(variables: Sequence[Any]) -> Callable[[], list[Array]]:
    """Return a function that reads these variables of Keras, in their order.

    NOTE: on TensorFlow, Keras' conversion makes NumPy warn, which is an error under ``-W error``,
    and takes ten times as long; TensorFlow's ``numpy()`` copies.
    """
    if on_tensorflow():
        return tensorflow_state.reading([variable.value for variable in variables])
    to_host = _keras().ops.convert_to_numpy
    return lambda: [cast("Array", to_host(variable)) for variable in variables]
