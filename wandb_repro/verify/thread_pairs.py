"""Pairs what the threads of two runs made: first what is equal, then by thread."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import (
    OTHER_THREADS,
    WHOLE_RUN,
    Shape,
    Weights,
    is_of_thread,
    owner_name,
    owner_of,
)
from wandb_repro.verify.fit_pairs import ModelFit

Likeness: TypeAlias = Sequence[Hashable]
"""What must be equal for two things to be a pair, the strictest first; None pairs nothing."""

_Variable: TypeAlias = tuple[str, str, tuple[int, ...], str]
"""Group, type, shape and digest."""
_Fits: TypeAlias = tuple["Contents", Mapping[int, ModelFit]]

_K = TypeVar("_K", bound=Hashable)


@dataclass
class Contents:
    """What the weights of a run were."""

    moments: dict[int, list[Weights]] = field(default_factory=dict[int, list[Weights]])
    """Of each fit, without its steps: which of these are digested may differ."""
    state: dict[str, list[_Variable]] = field(default_factory=dict[str, "list[_Variable]"])
    """The variables of each owner at the end of the run, in order."""


def contents_of(trail: Trail) -> Contents:
    """Read what the weights of a run were."""
    found = Contents()
    for weights, shapes in trail.with_shapes():
        if weights.fit != WHOLE_RUN:
            if weights.moment != "step":
                found.moments.setdefault(weights.fit, []).append(weights)
        elif weights.moment == "end":
            found.state = _by_owner(weights, shapes)
    return found


def _by_owner(weights: Weights, shapes: Sequence[Shape]) -> dict[str, list[_Variable]]:
    found: dict[str, list[_Variable]] = {}
    for shape, leaf in zip(shapes, weights.leaves, strict=False):
        variable = (shape.group, shape.dtype, shape.shape, leaf)
        found.setdefault(owner_of(shape.label), []).append(variable)
    return found


def paired_fits(original: _Fits, rerun: _Fits) -> dict[int, int]:
    """Return the original's number of each fit of the rerun that has a partner.

    Args:
        original: what its weights were, and the model of each fit.
        rerun: likewise.
    """
    sides = [
        {
            fit: _likeness_of_fit(contents.moments.get(fit, []), key) if key[0] else (key,) * _FIT
            for fit, key in models.items()
        }
        for contents, models in (original, rerun)
    ]
    return pairs(*sides)


_FIT = 7


def _likeness_of_fit(moments: Sequence[Weights], key: ModelFit) -> Likeness:
    if not moments:
        return (*(None,) * (_FIT - 1), key)
    weights = tuple((at.moment, at.epoch, at.step, at.root) for at in moments)
    values = tuple(tuple(at.metrics.items()) for at in moments)
    levels = (weights, values), weights, weights[0]
    return (*(each for level in levels for each in ((level, key), level)), key)


def paired_owners(original: Contents, rerun: Contents) -> dict[str, str]:
    """Return the original's name for each owner of the rerun's state that has a partner."""
    sides = [
        {owner: _likeness_of_state(owner, variables) for owner, variables in side.state.items()}
        for side in (original, rerun)
    ]
    return pairs(*sides)


def _likeness_of_state(owner: str, variables: Sequence[_Variable]) -> Likeness:
    if not is_of_thread(owner):
        return (owner,) * 4
    kind = owner.partition(" ")[0]
    content = (kind, tuple(variables))
    other = owner.endswith(owner_name("", 0, OTHER_THREADS).partition("0")[2])
    kinds = (kind, tuple(variable[:3] for variable in variables))
    return (content, owner), content, kinds if other else None, owner


def pairs(original: Mapping[_K, Likeness], rerun: Mapping[_K, Likeness]) -> dict[_K, _K]:
    """Pair things of two runs, each at most once, by the strictest likeness that both have.

    Returns:
        The original's thing for each of the rerun that has a partner.
    """
    found: dict[_K, _K] = {}
    left, right = dict(original), dict(rerun)
    for level in range(min(map(len, (*left.values(), *right.values())), default=0)):
        waiting: dict[Hashable, list[_K]] = {}
        for key, likeness in reversed(left.items()):
            waiting.setdefault(likeness[level], []).append(key)
        for key, likeness in list(right.items()):
            alike = waiting.get(likeness[level]) if likeness[level] is not None else None
            if alike:
                found[key] = one = alike.pop()
                del left[one], right[key]
    return found
