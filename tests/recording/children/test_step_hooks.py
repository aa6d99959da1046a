"""Each way to train is noticed; what notices steps is gone without a trace when undone."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wandb_repro.recording.children.step_hooks import hook_steps, hook_training


class Count:
    def __init__(self) -> None:
        self.steps = 0

    def __call__(self) -> str:
        self.steps += 1
        return "not a result of the step"


def library(name: str, **contents: Any) -> Any:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


class Base:
    def apply(self, gradients: list[float]) -> list[float]:
        """Make a step."""
        return [-gradient for gradient in gradients]

    def apply_gradients(self, pairs: list[float]) -> list[float]:
        return self.apply(pairs)


class Old:
    def apply_gradients(self, pairs: list[float]) -> int:
        return len(pairs)


def test_a_step_of_keras_is_noticed_once_whichever_way_it_is_made() -> None:
    class Optimizer(Base):
        pass

    class SGD(Optimizer):
        pass

    count = Count()
    undo = hook_steps(library("keras", optimizers=SimpleNamespace(Optimizer=Optimizer)), count)

    assert SGD().apply_gradients([1.0]) == [-1.0]
    assert SGD().apply([2.0]) == [-2.0]
    assert count.steps == 2
    assert Optimizer.apply.__doc__ == "Make a step."
    undo()
    SGD().apply([2.0])
    assert count.steps == 2
    assert "apply" not in vars(Optimizer)


def test_the_optimizers_of_keras_2_are_noticed_with_their_legacy() -> None:
    class Optimizer(Old):
        pass

    class Legacy(Old):
        pass

    count = Count()
    places = SimpleNamespace(Optimizer=Optimizer, legacy=SimpleNamespace(Optimizer=Legacy))
    undo = hook_steps(library("tf_keras", optimizers=places), count)

    assert [Optimizer().apply_gradients([1.0]), Legacy().apply_gradients([])] == [1, 0]
    assert count.steps == 2
    undo()
    Legacy().apply_gradients([])
    assert count.steps == 2


def test_a_step_of_torch_is_noticed_by_its_own_hook_and_gets_no_new_arguments() -> None:
    hooks: list[Any] = []

    def register(hook: Any) -> Any:
        hooks.append(hook)
        return SimpleNamespace(remove=lambda: hooks.remove(hook))

    optimizer = SimpleNamespace(register_optimizer_step_post_hook=register)
    count = Count()
    torch = library("torch", optim=SimpleNamespace(optimizer=optimizer))
    undo = hook_steps(torch, count)

    assert [hook("optimizer", (), {}) for hook in hooks] == [None]
    assert count.steps == 1
    undo()
    assert hooks == []


def test_updates_of_optax_are_noticed_and_its_function_is_put_back() -> None:
    def apply_updates(parameters: int, updates: int) -> int:
        return parameters + updates

    optax = library("optax", apply_updates=apply_updates)
    count = Count()
    undo = hook_steps(optax, count)

    assert optax.apply_updates(1, updates=2) == 3
    assert count.steps == 1
    undo()
    assert optax.apply_updates is apply_updates


def test_undoing_leaves_what_somebody_else_put_in_its_place() -> None:
    class Optimizer(Base):
        pass

    undo = hook_steps(library("keras", optimizers=SimpleNamespace(Optimizer=Optimizer)), Count())

    def theirs(self: object, gradients: list[float]) -> list[float]:
        del self
        return gradients

    setattr(Optimizer, "apply", theirs)  # noqa: B010
    undo()
    assert Optimizer().apply([3.0]) == [3.0]


@pytest.mark.parametrize("name", ["keras", "torch", "optax"])
def test_a_module_that_only_has_a_librarys_name_is_left_alone(name: str) -> None:
    mine: Any = library(name)
    before: dict[str, object] = {**mine.__dict__}

    hook_steps(mine, Count())()
    hook_training(mine, Count())

    assert mine.__dict__ == before


def test_gradients_are_noticed_where_no_optimizer_is_asked() -> None:
    class Tensor:
        def backward(self, gradient: float = 1.0) -> float:
            return gradient

    class GradientTape:
        def gradient(self, target: float) -> float:
            return 2 * target

    def grad(function: str) -> str:
        return f"gradient of {function}"

    count = Count()
    jax = library("jax", grad=grad, value_and_grad=grad)
    hook_training(library("torch", Tensor=Tensor), count)
    hook_training(library("tensorflow", GradientTape=GradientTape), count)
    hook_training(jax, count)

    assert Tensor().backward(gradient=3.0) == 3.0
    assert GradientTape().gradient(1.5) == 3.0
    assert jax.grad("loss") == jax.value_and_grad("loss") == "gradient of loss"
    assert count.steps == 4
