from __future__ import annotations

import functools
import random
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

from wandb_repro.keras.checkpoint import unregistered_rngs as module
from wandb_repro.keras.checkpoint.unregistered_rngs import place_of, unregistered_rngs

np: Any = numpy
RNG = np.random.default_rng(3)


def python_rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - its state is what is tested


class Batches:
    def __init__(self) -> None:
        self.rng = np.random.default_rng(1)
        self.parts = {"left": [python_rng(2)]}

    def shuffled(self) -> Any:
        return RNG.permutation(3)


class Plain:
    size = 3


def draw_from_global() -> float:
    return RNG.random()


def names(owner: object) -> list[str]:
    return [found.name for found in unregistered_rngs(owner, type(owner).__name__)]


def test_generators_of_an_object_its_containers_and_its_methods_are_found() -> None:
    assert names(Batches()) == [
        "Batches.rng",
        "RNG",
        "Batches.parts['left']",
    ]


def test_a_generator_of_a_closure_a_default_or_a_partial_is_found() -> None:
    mine = python_rng(1)

    def closure() -> float:
        return mine.random()

    def default(rng: random.Random = mine) -> float:
        return rng.random()

    def plain(rng: random.Random) -> float:
        return rng.random()

    assert names(closure) == ["mine"]
    assert len(names(default)) == 1
    assert len(names(functools.partial(plain, mine))) == 1


def test_a_global_variable_that_a_function_names_is_found() -> None:
    (found,) = unregistered_rngs(draw_from_global, "draw")
    assert found.name == "RNG"
    assert found.generator is RNG


def test_a_local_variable_of_a_python_generator_is_found() -> None:
    def batches() -> Iterator[float]:
        rng = python_rng(1)
        while True:
            yield rng.random()

    running = batches()
    next(running)
    assert names(running) == ["rng"]


def test_a_registered_generator_and_a_known_one_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Entry:
        generator = RNG

    monkeypatch.setattr(module, "registered", lambda: [Entry()])
    assert unregistered_rngs(draw_from_global, "draw") == []
    mine = python_rng(1)
    assert unregistered_rngs([mine], "list", known=[id(mine)]) == []


def test_an_object_without_generators_holds_none_even_if_it_holds_itself() -> None:
    plain: Any = Plain()
    plain.itself = plain
    assert unregistered_rngs(plain, "plain") == []


def test_a_library_is_not_searched() -> None:
    assert unregistered_rngs(np.random, "numpy.random") == []


def test_a_place_is_the_file_and_line_of_the_code() -> None:
    assert place_of(draw_from_global) == f"{__file__}:{draw_from_global.__code__.co_firstlineno}"
    assert place_of(Plain()).startswith(f"{__file__}:")
    assert place_of(7) == ""
