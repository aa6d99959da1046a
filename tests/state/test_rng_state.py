from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy
import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.state.rng_state import is_generator, restore_rng_states, rng_states

np: Any = numpy
library: Any = keras


def python_rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - its state is what is tested


@pytest.fixture(autouse=True)
def global_states() -> Iterator[None]:
    """Put the global generators back."""
    before = random.getstate(), np.random.get_state()
    yield
    random.setstate(before[0])
    np.random.set_state(before[1])


def tensorflow() -> Any:
    import tensorflow

    return tensorflow


GLOBAL: dict[str, Callable[[], float]] = {
    "python": random.random,
    "numpy": lambda: float(np.random.random()),
    "keras": lambda: float(library.random.uniform(())),
    "tensorflow operations": lambda: float(tensorflow().random.uniform(())),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_a_global_generator_draws_the_same_after_its_state_is_restored(name: str) -> None:
    draw = GLOBAL[name]
    library.utils.set_random_seed(7)
    draw()
    states = rng_states({})
    drawn = [draw(), draw()]
    assert restore_rng_states(states, {}) == []
    if name != "tensorflow operations":  # the counters of its kernels are another matter
        assert [draw(), draw()] == drawn
    assert len(set(drawn)) == 2


MAKE: dict[str, Callable[[], Any]] = {
    "numpy": lambda: np.random.default_rng(3),
    "numpy, old": lambda: np.random.RandomState(3),
    "bits": lambda: np.random.PCG64(3),
    "python": lambda: python_rng(3),
    "keras": lambda: library.random.SeedGenerator(3),
    "tensorflow": lambda: tensorflow().random.Generator.from_seed(3),
}
DRAW: dict[str, Callable[[Any], float]] = {
    "numpy": lambda it: float(it.random()),
    "numpy, old": lambda it: float(it.random_sample()),
    "bits": lambda it: float(it.random_raw()),
    "python": lambda it: it.random(),
    "keras": lambda it: float(library.random.uniform((), seed=it)),
    "tensorflow": lambda it: float(it.uniform(())),
}


@pytest.mark.parametrize("kind", MAKE)
def test_a_registered_generator_draws_the_same_after_its_state_is_restored(kind: str) -> None:
    generator = MAKE[kind]()
    draw = DRAW[kind]
    draw(generator)
    states = rng_states({"data": generator})
    drawn = [draw(generator), draw(generator)]
    assert restore_rng_states(states, {"data": generator}) == []
    assert [draw(generator), draw(generator)] == drawn


def test_a_generator_that_was_added_or_removed_is_named() -> None:
    one = {"data": python_rng(3)}
    without, with_one = rng_states({}), rng_states(one)
    assert restore_rng_states(without, one) == [
        "the generator 'data' was not registered when the checkpoint was saved"
    ]
    gone = ["the generator registered data is no longer registered"]
    assert restore_rng_states(with_one, {}) == gone


@pytest.mark.parametrize("state", [{}, {"python": (3, (1, 2), None)}, {"python": "planted"}])
def test_a_state_that_no_generator_takes_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="invalid state of a random generator"):
        restore_rng_states(state, {})


def test_what_has_no_state_is_not_a_generator() -> None:
    assert not is_generator(random.SystemRandom())
    assert not is_generator(np.random.random)
    assert not is_generator(7)
