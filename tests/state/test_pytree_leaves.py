"""JAX's pytrees, taken apart and made again; where JAX is installed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.state.packing import Pieces, Unsaveable
from wandb_repro.state.pytree_leaves import restored_tree, save_leaves


def jax() -> Any:
    return pytest.importorskip("jax")


def there_and_back(saved: Any, here: Any) -> Any:
    pieces = Pieces()
    leaves = json.loads(json.dumps(save_leaves(saved, pieces)))
    return restored_tree(here, leaves, pieces.pieces)


@pytest.mark.backend
def test_each_leaf_has_the_saved_value_and_the_kind_of_the_one_that_is_here() -> None:
    jnp = jax().numpy
    saved = ({"w": jnp.arange(3.0), "n": 7}, np.ones(2), jnp.full((), 2, "bfloat16"), None)
    here = ({"w": jnp.zeros(3), "n": 0}, np.zeros(2), jnp.zeros((), "bfloat16"), None)

    found = there_and_back(saved, here)

    assert found[0]["w"].tolist() == [0.0, 1.0, 2.0]
    assert isinstance(found[0]["w"], jax().Array)
    assert (found[0]["n"], found[3]) == (7, None)
    assert isinstance(found[1], np.ndarray)
    assert (found[2].dtype, float(found[2])) == (jnp.bfloat16, 2.0)


@pytest.mark.backend
def test_a_random_key_draws_on() -> None:
    random = jax().random
    saved = random.split(random.key(3))[0]
    found = there_and_back(saved, random.key(0))
    assert float(random.uniform(found)) == float(random.uniform(saved))


@pytest.mark.backend
def test_a_state_of_another_form_is_refused() -> None:
    jnp = jax().numpy
    with pytest.raises(CheckpointError, match="2 leaves, and this state has 1"):
        there_and_back([jnp.ones(1), jnp.ones(1)], [jnp.ones(1)])
    with pytest.raises(CheckpointError, match=r"shape \[2\], and here is \[3\]"):
        there_and_back([jnp.ones(2)], [jnp.ones(3)])


@pytest.mark.backend
def test_a_leaf_that_is_no_value_cannot_be_saved() -> None:
    jax()
    with pytest.raises(Unsaveable, match="a function"):
        save_leaves([lambda: None], Pieces())


def test_without_jax_no_state_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "jax", raising=False)
    with pytest.raises(Unsaveable, match="only with JAX"):
        save_leaves([1], Pieces())
