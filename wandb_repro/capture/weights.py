"""Variables of a model, by the groups in which they are digested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wandb_repro.digest import Array, leaf_digests, root_digest

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


def root_of_variables(variables: Sequence[Variable], leaves: Sequence[str] | None = None) -> str:
    """Return the root digest of variables, as in the trail; ``leaves`` are their digests, if known.

    Raises:
        DigestError: a variable has a dtype that cannot be digested.
    """
    if leaves is None:
        leaves = leaf_digests([variable.value for variable in variables])
    groups = (variable.group for variable in variables)
    return root_digest(zip(groups, leaves, strict=True))
