"""Variables of a model, by the groups in which they are digested."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.digest import Array

GROUPS = ("trainable", "non_trainable", "seed", "optimizer", "state")
"""Groups of variables, in the order in which they are digested.

``state`` holds the arrays of a pytree, which does not say which of them are trained."""


class Variable(NamedTuple):
    """One variable of a model, its value copied to the host."""

    group: str
    """One of ``GROUPS``."""
    label: str
    """Keras' path, such as ``sequential/conv2d/kernel``; shown to people, not digested."""
    value: Array
    """Any shape; a dtype of fixed size."""
