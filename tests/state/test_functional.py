from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest

from wandb_repro.manifest.trail_records import Trainable
from wandb_repro.state.functional import (
    state_in_no_variable,
    watch_gradients_of_jax,
    watch_gradients_of_torch,
    watch_stateless_apply,
)
from wandb_repro.state.registry import Registry


class Optimizer:
    """One of Keras', as far as this matters."""

    def stateless_apply(self, variables: object, grads: object) -> object:
        """Return the new state."""
        del grads
        return variables


class Tensor:
    """One of PyTorch's, as far as this matters."""

    def backward(self) -> str:
        """Compute gradients."""
        return "done"


train_step: Callable[[], str]
"""Of the script; where ``_fit`` runs, it is another module's."""


def _fit() -> str:
    return train_step()  # noqa: F821


def jax() -> Any:
    """Return a JAX whose gradients are names."""
    module: Any = ModuleType("jax")
    module.grad, module.value_and_grad = "grad of {}".format, "value of {}".format
    return module


@pytest.fixture
def registry() -> Registry:
    return Registry()


def optimizer(registry: Registry, steps: int) -> tuple[Any, Trainable]:
    """Return an optimizer that the registry knows, with what the end of the run says of it."""
    kind: Any = type("Adam", (Optimizer,), {})
    watch_stateless_apply(registry, kind)
    made = kind()
    registry.add("optimizer", made)
    number = registry.number_of("optimizer", made)
    return made, Trainable(number=number, kind="optimizer", name="adam", steps=steps, variables=1)


def test_gradients_of_jax_that_no_model_keeps_are_named(registry: Registry) -> None:
    library = jax()
    watch_gradients_of_jax(registry, library)
    assert state_in_no_variable(registry, ()) == []

    assert library.grad("loss") == "grad of loss"

    (note,) = state_in_no_variable(registry, ())
    assert note.startswith("JAX computed gradients outside of fit")


def test_gradients_that_keras_takes_in_fit_are_those_of_the_fit(registry: Registry) -> None:
    library = jax()
    watch_gradients_of_jax(registry, library)

    def own_step() -> str:
        return library.value_and_grad("loss")

    # Keras' trainer calls a train_step of the script.
    trainer = {"__name__": "keras.trainer", "train_step": own_step}
    fit = FunctionType(_fit.__code__, trainer)
    assert fit() == "value of loss"

    assert state_in_no_variable(registry, ()) == []


def test_a_state_that_was_put_back_into_the_model_needs_no_note(registry: Registry) -> None:
    library = jax()
    watch_gradients_of_jax(registry, library)
    library.value_and_grad("loss")
    made, at_the_end = optimizer(registry, steps=10)
    made.stateless_apply([1], [2])

    assert state_in_no_variable(registry, [at_the_end]) == []
    assert state_in_no_variable(registry, [at_the_end.model_copy(update={"steps": 0})])


def test_each_optimizer_must_have_its_state_back(registry: Registry) -> None:
    library = jax()
    watch_gradients_of_jax(registry, library)
    library.value_and_grad("loss")
    made = [optimizer(registry, steps) for steps in (10, 0)]
    for each, _ in made:
        each.stateless_apply([1], [2])

    assert state_in_no_variable(registry, [thing for _, thing in made])


def test_a_watched_state_needs_no_note(registry: Registry) -> None:
    library = jax()
    watch_gradients_of_jax(registry, library)
    library.grad("loss")

    registry.has_watched_state = True

    assert state_in_no_variable(registry, ()) == []


def test_plain_tensors_that_were_trained_are_named(registry: Registry) -> None:
    kind: Any = type("Tensor", (Tensor,), {})
    library: Any = ModuleType("torch")
    library.Tensor = kind
    watch_gradients_of_torch(registry, library)

    assert kind().backward() == "done"

    (note,) = state_in_no_variable(registry, ())
    assert note.startswith("PyTorch computed gradients, and no module and no optimizer")
    registry.add("module", made := Optimizer())
    assert state_in_no_variable(registry, ()) == []
    del made


def test_a_module_that_only_has_the_name_is_left_alone(registry: Registry) -> None:
    mine = ModuleType("jax")
    watch_gradients_of_jax(registry, mine)
    watch_gradients_of_torch(registry, ModuleType("torch"))
    watch_stateless_apply(registry, object)

    assert not hasattr(mine, "grad")
    assert registry.gradients == set()


@pytest.mark.backend
def test_with_real_jax_gradients_are_the_same() -> None:
    jax: Any = pytest.importorskip("jax")
    own: Any = ModuleType("jax")
    own.grad, own.value_and_grad = jax.grad, jax.value_and_grad
    registry = Registry()
    watch_gradients_of_jax(registry, own)

    def loss(value: Any) -> Any:
        return (value**2).sum()

    found = jax.jit(own.grad(loss))(np.ones(3, "float32"))

    assert found.tolist() == [2.0, 2.0, 2.0]
    assert registry.gradients == {"jax"}
