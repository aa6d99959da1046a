"""What moved first: the state before the step, the data, the loss, or only then the weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.trail import Digested, Granularity, Losses, Resumed, Seen, Trail, Weights
from wandb_repro.verify.trail_diff import FirstDifference

__all__ = ["CauseKind", "FirstCause", "find_first_cause"]

CauseKind = Literal["initial state", "state", "data", "loss", "weights", "not known"]

_VALUE_DIGITS = 16
"""Hexadecimal digits of one value in a record of losses."""


class FirstCause(Record):
    """What differed first within the first step that differs, as far as the trails tell."""

    what: CauseKind
    sentence: str
    groups: tuple[str, ...] = ()
    """Groups of the leaves that differ there: ``seed`` alone is a generator's state."""
    loss_step: int | None = None
    """First step whose loss or metrics differ in any bit; None where no step's are held."""


def find_first_cause(original: Trail, other: Trail, first: FirstDifference) -> FirstCause:
    """Return what moved first at a difference of two trails."""
    groups = tuple(dict.fromkeys(leaf.group for leaf in first.leaves))
    loss_step = first_loss_difference(original, other, first.fit)
    if first.structure:
        what, sentence = _not_known("the variables themselves are others")
    elif first.moment == "initial":
        what, sentence = _initial(groups)
    else:
        what, sentence = _in_step(original, other, first, loss_step)
    return FirstCause(what=what, sentence=sentence, groups=groups, loss_step=loss_step)


def _not_known(why: str) -> tuple[CauseKind, str]:
    return "not known", f"cannot be known: {why}"


def _initial(groups: tuple[str, ...]) -> tuple[CauseKind, str]:
    if groups == ("seed",):
        return "initial state", "the state of a layer's seed generator, before the first step"
    if groups == ("optimizer",):
        return "initial state", "the optimizer's own variables, before the first step"
    return "initial state", "the initial weights, before any data was seen"


def _in_step(
    original: Trail, other: Trail, first: FirstDifference, loss_step: int | None
) -> tuple[CauseKind, str]:
    one, two = _at(original, first), _at(other, first)
    if one is None or two is None:
        return _by_seen(original, other, first) or _by_losses(first, loss_step)
    if one.before != two.before:
        return "state", "the weights were changed between two steps, and not by training"
    alike = one.data is not None and two.data is not None
    alike = alike and _since(original, first) == _since(other, first)
    if alike and one.data != two.data:
        return "data", f"the batches up to {first.what} are not the same"
    if not alike:
        seen = _by_seen(original, other, first)
        if seen is not None:
            return seen
        return _not_known(f"the batches were not digested{_why(original, first.fit)}")
    return _forward_or_backward(first, loss_step)


def _forward_or_backward(first: FirstDifference, loss_step: int | None) -> tuple[CauseKind, str]:
    if loss_step is None or loss_step > first.step:
        return "weights", "the weights: the state before, the data and the loss are equal"
    return "loss", "the loss: the state before and the data are equal"


def _by_seen(original: Trail, other: Trail, first: FirstDifference) -> tuple[CauseKind, str] | None:
    """Return that the data moved, where the first batches of an epoch are others; None if not."""
    mine, yours = _seen_of(original, first), _seen_of(other, first)
    for epoch in sorted(mine.keys() & yours.keys()):
        one, two = mine[epoch], yours[epoch]
        if isinstance(one.batches, Unavailable) or isinstance(two.batches, Unavailable):
            continue
        known = min(len(one.batches), len(two.batches))
        if one.batches[:known] == two.batches[:known]:
            continue
        told = f"the first batches of epoch {epoch + 1}"
        if one.rows and two.rows and one.rows[known - 1] == two.rows[known - 1]:
            return "data", f"{told} hold the same rows in another order"
        return "data", f"{told} are not the same"
    return None


def _seen_of(trail: Trail, first: FirstDifference) -> dict[int, Seen]:
    """Return what is known last of each epoch that began before a difference."""
    seen = (it for it in trail.of(Seen) if it.fit == first.fit and not _is_after(it, first))
    return {one.epoch: one for one in seen}


def _is_after(seen: Seen, first: FirstDifference) -> bool:
    """Tell whether batches came after a difference; a step's epoch is not complete."""
    return seen.epoch > first.epoch or (seen.epoch == first.epoch and first.moment != "step")


def _by_losses(first: FirstDifference, loss_step: int | None) -> tuple[CauseKind, str]:
    if loss_step is not None and loss_step < first.step:
        told = f"the loss differs since step {loss_step}, before the weights were digested again"
        return "not known", told
    if first.moment == "step":
        return _not_known("the record of this step holds neither its batch nor its loss")
    return _not_known(
        "only epochs were recorded. rerun --bisect finds the step; ReproCallback(steps=1) "
        "records it"
    )


def _at(trail: Trail, first: FirstDifference) -> Digested | None:
    """Return the record of the step that differs; None where only whole digests are held."""
    for weights in trail.moments():
        if isinstance(weights, Digested) and _place(weights) == (first.fit, first.step):
            return weights
    return None


def _since(trail: Trail, first: FirstDifference) -> int:
    """Return behind which step the batches of a step record begin."""
    resumed = (it.step for it in trail.of(Resumed) if it.fit == first.fit)
    steps = (
        it.step
        for it in trail.moments()
        if it.fit == first.fit and it.moment == "step" and it.step < first.step
    )
    return max((*resumed, *steps), default=0)


def _place(weights: Weights) -> tuple[int, int]:
    return weights.fit, weights.step


def _why(trail: Trail, fit: int) -> str:
    told = [it.data for it in trail.of(Granularity) if it.fit == fit]
    return f": {told[-1]}" if told and isinstance(told[-1], Unavailable) else ""


def first_loss_difference(original: Trail, other: Trail, fit: int) -> int | None:
    """Return the first step after which a loss or metric of both differs in any bit."""
    theirs = dict(_values(original, fit))
    for step, values in _values(other, fit):
        mine = theirs.get(step)
        if mine is not None and any(mine[name] != values[name] for name in mine.keys() & values):
            return step
    return None


def _values(trail: Trail, fit: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the bits of each step's loss and metrics."""
    for record in trail.of(Losses):
        if record.fit == fit:
            yield from _values_of(record)


def _values_of(record: Losses) -> Iterator[tuple[int, dict[str, str]]]:
    counts = [len(bits) // _VALUE_DIGITS for bits in record.bits.values()]
    for at in range(min(counts, default=0)):
        step = min(record.first + at * record.every, record.last)
        place = slice(_VALUE_DIGITS * at, _VALUE_DIGITS * (at + 1))
        yield step, {name: bits[place] for name, bits in record.bits.items()}
