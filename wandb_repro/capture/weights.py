"""The weights: one digest a variable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from wandb_repro.digest import Array, Leaf, leaf_digests, root_digest

__all__ = ["GROUPS", "Variable", "digest_variables", "root_of"]

GROUPS = ("trainable", "non_trainable", "seed", "optimizer")
"""Groups of variables in the order they are digested."""


class Variable(NamedTuple):
    """One variable of a model, its value on the host."""

    group: str
    """One of ``GROUPS``."""
    label: str
    """Keras' path, such as ``sequential/conv2d/kernel``; for people only."""
    value: Array


def digest_variables(variables: Sequence[Variable]) -> tuple[Leaf, ...]:
    """Return each variable's digest, in the given order.

    Raises:
        DigestError: a variable has no bytes of its own.
    """
    digests = leaf_digests([variable.value for variable in variables])
    return tuple(
        Leaf(group, label, str(value.dtype.name), tuple(value.shape), digest)
        for (group, label, value), digest in zip(variables, digests, strict=True)
    )


def root_of(leaves: Iterable[Leaf]) -> str:
    """Return one digest over all leaves: equal only when every group and leaf is."""
    return root_digest((leaf.group, leaf.digest) for leaf in leaves)
