"""The values that a loop passes with its steps and epochs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from wandb_repro.recording.messages import warn_once
from wandb_repro.state.jax_state import first_leaf
from wandb_repro.state.jax_state import is_traced as is_jax_traced
from wandb_repro.state.scalars import Kept, NotANumber, keep, numbers_of


def kept_values(call: str, values: Mapping[str, object]) -> dict[str, Kept]:
    """Return what ``numbers_of`` reads later of each value; those that are no number are named.

    Args:
        call: what got the values, such as ``watch.step``.
        values: by name; None is left out.
    """
    kept: dict[str, Kept] = {}
    for name, value in values.items():
        if value is None:
            continue
        try:
            kept[name] = keep(value)
        except NotANumber:
            warn_once(
                f"{call}({name}=...): a {type(value).__name__} that is not a single number "
                "is not recorded; pass its mean, or another number"
            )
    return kept


def read_values(call: str, values: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers among the values; the others are named."""
    kept = kept_values(call, values)
    read = dict(zip(kept, numbers_of(list(kept.values())), strict=True))
    return {name: number for name, number in read.items() if number is not None}


def is_traced(state: object, values: Mapping[str, object]) -> bool:
    """Tell whether a step was called while a function is traced, and not while it runs."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "executing_eagerly") and not tensorflow.executing_eagerly():
        return True
    if "jax" not in sys.modules:
        return False
    return any(map(is_jax_traced, (*values.values(), first_leaf(state))))
