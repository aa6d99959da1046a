"""Reads the variables of a model. Reading is all that is done to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, cast

import keras

from wandb_repro.capture.weights import Variable
from wandb_repro.keras.reading import reading

__all__ = ["Model", "Reader", "grouped", "variables_of"]


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
