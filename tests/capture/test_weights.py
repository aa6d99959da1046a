from __future__ import annotations

from typing import Any

import numpy as np

from wandb_repro.capture.weights import GROUPS, Variable, root_of_variables
from wandb_repro.digest import leaf_digest, root_digest


def test_the_groups_are_those_of_every_trail_so_far_in_their_order() -> None:
    """Their order decides each root digest: another one would make all old trails differ."""
    assert GROUPS[:4] == ("trainable", "non_trainable", "seed", "optimizer")


def test_a_variable_holds_its_value_itself_and_no_copy() -> None:
    value: Any = np.zeros((2, 3), "f4")
    variable = Variable("trainable", "dense/kernel", value)
    assert variable.value is value
    assert variable[:2] == ("trainable", "dense/kernel")


def test_the_root_is_that_of_the_leaves_with_their_groups() -> None:
    arrays: list[Any] = [np.zeros((2, 3), "f4"), np.ones(2, "f4")]
    found = [Variable("trainable", "kernel", arrays[0]), Variable("optimizer", "rate", arrays[1])]
    leaves = [leaf_digest(array) for array in arrays]
    root = root_digest(zip(("trainable", "optimizer"), leaves, strict=True))
    assert root_of_variables(found) == root_of_variables(found, leaves) == root
    assert root_of_variables(found[:1]) != root
