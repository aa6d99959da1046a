"""Compares the weights of two trainings at one moment: equal bits, or which variables differ."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Literal, TypeAlias

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail_records import WHOLE_RUN, Shape, Weights, owner_of

Stage = Literal["initial", "first steps", "later"]
"""Where in a training the first difference is; the likely causes depend on it."""


class DifferentLeaf(Record):
    """A variable whose bits differ."""

    group: str
    label: str
    """Its label in the original."""
    shape: tuple[int, ...]
    place: int
    """Position among all leaves, from 0."""


class FirstDifference(Record):
    """The first moment at which two trainings differ."""

    fit: int
    moment: str
    epoch: int
    step: int
    what: str
    """In words: ``step 1 (epoch 1)``."""
    stage: Stage
    leaves: tuple[DifferentLeaf, ...]
    """Every leaf that differs at that moment, in the model's order."""
    of_leaves: int
    """How many leaves the original has there."""
    last_equal: str
    """The last moment before it that was equal, in words; empty if there was none."""
    structure: str = ""
    """Why the variables cannot be paired; empty if the models have the same variables."""


def moment_name(weights: Weights) -> str:
    """Return a moment in words: ``the end of epoch 3``, ``step 12 (epoch 1) of fit 2``."""
    if weights.fit == WHOLE_RUN:
        return _run_moment_name(weights)
    of_fit = f" of fit {weights.fit}" if weights.fit > 1 else ""
    if weights.moment in ("initial", "final"):
        return f"the {weights.moment} weights{of_fit}"
    if weights.moment == "epoch":
        return f"the end of epoch {weights.epoch}{of_fit}"
    return f"step {weights.step} (epoch {weights.epoch + 1}){of_fit}"


def _run_moment_name(weights: Weights) -> str:
    if weights.moment == "fit":
        return f"the end of fit {weights.epoch}" if weights.epoch else "the beginning of training"
    return "the end of the run" if weights.moment == "end" else f"logged row {weights.step}"


def weights_difference(
    original: Weights,
    original_shapes: Sequence[Shape],
    other: Weights,
    other_shapes: Sequence[Shape],
) -> FirstDifference | None:
    """Return the difference between the weights of two trainings at a moment; None if equal.

    ``stage`` and ``last_equal`` depend on earlier moments and are left for the caller.
    """
    if original.fit == WHOLE_RUN and other.moment != "end":
        sides = _of_common_owners((original, original_shapes), (other, other_shapes))
        (original, original_shapes), (other, other_shapes) = sides
    # The same object needs no comparison: of a million steps nearly all share their shapes.
    structure = "" if original_shapes is other_shapes else _structure(original_shapes, other_shapes)
    same_root = original.root == other.root
    if not structure and same_root and original.leaves == other.leaves:
        return None
    different = () if structure else _different_leaves(original, other, original_shapes)
    if not structure and not different and same_root:
        return None
    return FirstDifference(
        fit=other.fit,
        moment=other.moment,
        epoch=other.epoch,
        step=other.step,
        what=moment_name(other),
        stage="later",
        leaves=different,
        of_leaves=len(original_shapes),
        last_equal="",
        structure=structure or ("" if different else _ROOT_ONLY),
    )


_Side: TypeAlias = tuple[Weights, Sequence[Shape]]


def _of_common_owners(original: _Side, other: _Side) -> tuple[_Side, _Side]:
    """Return both states with only what both runs had at that moment.

    Until the end of a run, it depends on the garbage collector whether something that was deleted
    still exists.
    """
    owners = [[owner_of(shape.label) for shape in shapes] for _, shapes in (original, other)]
    if owners[0] == owners[1]:
        return original, other
    common = set(owners[0]) & set(owners[1])
    return _only(original, common), _only(other, common)


def _only(side: _Side, owners: Set[str]) -> _Side:
    weights, shapes = side
    kept = [at for at, shape in enumerate(shapes) if owner_of(shape.label) in owners]
    # The root covers what is left out, too.
    part = {"root": "", "leaves": tuple(weights.leaves[at] for at in kept)}
    return weights.model_copy(update=part), [shapes[at] for at in kept]


_ROOT_ONLY = (
    "every variable is equal, but the digest over all of them differs: a trail was modified"
)


def _different_leaves(
    original: Weights, other: Weights, shapes: Sequence[Shape]
) -> tuple[DifferentLeaf, ...]:
    return tuple(
        DifferentLeaf(group=shape.group, label=shape.label, shape=shape.shape, place=place)
        for place, (shape, digest_1, digest_2) in enumerate(
            zip(shapes, original.leaves, other.leaves, strict=True)
        )
        if not _same(digest_1, digest_2)
    )


def _same(digest_1: str, digest_2: str) -> bool:
    """Compare two digests of a leaf; a step record may hold only the first digits."""
    if len(digest_1) == len(digest_2):
        return digest_1 == digest_2
    return digest_1.startswith(digest_2) or digest_2.startswith(digest_1)


def _structure(original: Sequence[Shape], other: Sequence[Shape]) -> str:
    if len(original) != len(other):
        return f"the original has {len(original)} variables and the rerun {len(other)}"
    for left, right in zip(original, other, strict=True):
        if (left.group, left.dtype, left.shape) != (right.group, right.dtype, right.shape):
            return f"{left.label} is {_kind(left)} in the original and {_kind(right)} in the rerun"
    return ""


def _kind(shape: Shape) -> str:
    return f"{shape.group} {shape.dtype}{list(shape.shape)}"
