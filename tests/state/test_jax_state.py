"""Pytrees without JAX, and with it where it is installed."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
import pytest

from wandb_repro.state.jax_state import (
    PytreeReader,
    first_leaf,
    has_arrays,
    is_traced,
    read_pytree,
    state_of_nnx,
)


def jax() -> Any:
    return pytest.importorskip("jax")


class State(NamedTuple):
    params: Any
    step: int


@pytest.fixture
def without_jax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jax", raising=False)


@pytest.mark.usefixtures("without_jax")
def test_without_jax_dicts_lists_and_tuples_are_read() -> None:
    tree = {"w": [np.ones(2), None], "name": "net", "n": (3, 0.5)}
    found = read_pytree(tree)
    assert [it.label for it in found] == ["['n'][0]", "['n'][1]", "['w'][0]"]
    assert {it.group for it in found} == {"state"}
    assert has_arrays(tree)
    assert not has_arrays({"n": 3})
    assert first_leaf(tree) is None
    assert not is_traced(np.ones(2))
    assert state_of_nnx(tree) is None


@pytest.mark.backend
def test_labels_are_jaxs_key_paths() -> None:
    numbers = jax().numpy
    tree = State({"dense": {"kernel": numbers.ones((2, 3)), "bias": numbers.zeros(3)}}, 4)
    reader = PytreeReader()
    for _ in range(2):
        found = reader.read(tree)
        labels = [".params['dense']['bias']", ".params['dense']['kernel']", ".step"]
        assert [it.label for it in found] == labels
        assert np.asarray(found[1].value).shape == (2, 3)
    assert [it.label for it in reader.read([numbers.ones(1)])] == ["[0]"]


@pytest.mark.backend
def test_random_keys_and_small_floats_are_read() -> None:
    module = jax()
    tree = [module.random.key(3), module.numpy.ones(2, "bfloat16"), lambda: None]
    key, small = read_pytree(tree)
    assert np.asarray(key.value).dtype == "uint32"
    assert str(small.value.dtype) == "bfloat16"


@pytest.mark.backend
def test_an_array_that_was_donated_cannot_be_read() -> None:
    array = jax().numpy.ones(3)
    array.delete()
    with pytest.raises(RuntimeError, match="deleted"):
        read_pytree([array])


@pytest.mark.backend
def test_what_is_traced_is_told_from_what_is_computed() -> None:
    seen: list[bool] = []

    def double(value: Any) -> Any:
        seen.append(is_traced(first_leaf({"x": value})))
        return 2 * value

    jax().jit(double)(1.0)
    assert seen == [True]
    assert not is_traced(jax().numpy.ones(1))


@pytest.mark.backend
def test_an_nnx_module_is_read_by_its_state() -> None:
    nnx: Any = pytest.importorskip("flax.nnx")
    model = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    state_of = state_of_nnx(model)
    assert state_of is not None
    assert [it.label for it in read_pytree(state_of())] == ["['bias']", "['kernel']"]
