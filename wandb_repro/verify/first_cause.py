"""What changed first at a difference: the state before a step, its batch, the loss, or weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.trail import Digested, Trail
from wandb_repro.manifest.trail_records import WHOLE_RUN, Granularity, Losses, Resumed, Seen
from wandb_repro.verify.value_diff import values_of
from wandb_repro.verify.weights_diff import FirstDifference

CauseKind = Literal["initial state", "state", "data", "loss", "weights", "not known"]


class FirstCause(Record):
    """What differed first within the first step that differs, as far as the trails show it."""

    what: CauseKind
    sentence: str
    groups: tuple[str, ...] = ()
    """Groups of the variables that differ there: ``seed`` alone is a generator's state."""
    loss_step: int | None = None
    """First step whose loss or metrics differ in any bit; None if none does or none is recorded."""


def find_first_cause(original: Trail, other: Trail, first: FirstDifference) -> FirstCause:
    """Return what changed first at the first difference of two trails."""
    groups = tuple(dict.fromkeys(leaf.group for leaf in first.leaves))
    loss_step = first_loss_difference(original, other, first.fit)
    if first.fit == WHOLE_RUN:
        what, sentence = _in_run(first)
    elif first.structure:
        what, sentence = _not_known("the models have different variables")
    elif first.moment == "initial" and (earlier := _earlier_fit(original, first.fit)):
        # That fit ended with equal weights: else it would have the first difference.
        what = "state"
        sentence = f"something other than fit changed the model after fit {earlier}"
    elif first.moment == "initial":
        what, sentence = _initial(groups)
    else:
        what, sentence = _in_step(original, other, first, loss_step)
    return FirstCause(what=what, sentence=sentence, groups=groups, loss_step=loss_step)


def _earlier_fit(trail: Trail, fit: int) -> int:
    """Return the last fit of the same model before this one; 0 if there is none, or no digest."""
    plans = {plan.fit: plan for plan in trail.of(Granularity)}
    if fit not in plans or not plans[fit].model:
        return 0
    model = plans[fit].thread, plans[fit].model
    earlier = [plan for plan in plans.values() if (plan.thread, plan.model) == model]
    ended = {weights.fit for weights in trail.moments() if weights.moment == "final"}
    return max((plan.fit for plan in earlier if plan.fit < fit and plan.fit in ended), default=0)


def _in_run(first: FirstDifference) -> tuple[CauseKind, str]:
    """Return what is known of a difference outside every fit and watched loop."""
    if first.moment == "fit" and first.epoch == 0:
        return (
            "initial state",
            "what existed before the first fit: initial values, "
            "or what adapt, a loaded file or an assignment put there",
        )
    since = first.last_equal or "the beginning of the run"
    return _not_known(f"something that no digest covers changed it after {since}")


def _not_known(why: str) -> tuple[CauseKind, str]:
    return "not known", f"unknown: {why}"


def _initial(groups: tuple[str, ...]) -> tuple[CauseKind, str]:
    if groups == ("seed",):
        return "initial state", "the state of a layer's seed generator, before the first step"
    if groups == ("optimizer",):
        return "initial state", "the optimizer's own variables, before the first step"
    return "initial state", "the initial weights, before any data was used"


def _in_step(
    original: Trail, other: Trail, first: FirstDifference, loss_step: int | None
) -> tuple[CauseKind, str]:
    step_1, step_2 = _at(original, first), _at(other, first)
    if step_1 is None or step_2 is None:
        return _by_seen(original, other, first) or _by_losses(first, loss_step)
    if step_1.before != step_2.before:
        return "state", "something other than training changed the weights between two steps"
    recorded = step_1.data is not None and step_2.data is not None
    # Records that begin at different steps cover different batches.
    comparable = recorded and _since(original, first) == _since(other, first)
    if comparable and step_1.data != step_2.data:
        return "data", f"the batches up to {first.what} differ"
    if not comparable:
        seen = _by_seen(original, other, first)
        return seen or _not_known(f"batches were not recorded{_why(original, first.fit)}")
    return _forward_or_backward(first, loss_step)


def _forward_or_backward(first: FirstDifference, loss_step: int | None) -> tuple[CauseKind, str]:
    if loss_step is None or loss_step > first.step:
        return "weights", "the weights; the state before the step, the batch and the loss are equal"
    return "loss", "the loss; the state before the step and the batch are equal"


def _by_seen(original: Trail, other: Trail, first: FirstDifference) -> tuple[CauseKind, str] | None:
    """Return the data as the cause if the first batches of an epoch differ; None if not."""
    seen_1, seen_2 = _seen_of(original, first), _seen_of(other, first)
    for epoch in sorted(seen_1.keys() & seen_2.keys()):
        first_1, first_2 = seen_1[epoch], seen_2[epoch]
        if isinstance(first_1.batches, Unavailable) or isinstance(first_2.batches, Unavailable):
            continue
        known = min(len(first_1.batches), len(first_2.batches))
        if first_1.batches[:known] == first_2.batches[:known]:
            continue
        batches = f"the first batches of epoch {epoch + 1}"
        if first_1.rows and first_2.rows and first_1.rows[known - 1] == first_2.rows[known - 1]:
            return "data", f"{batches} have the same rows in another order"
        return "data", f"{batches} differ"
    return None


def _seen_of(trail: Trail, first: FirstDifference) -> dict[int, Seen]:
    """Return the last record of the first batches of each epoch that began before a difference."""
    return {
        seen.epoch: seen
        for seen in trail.of(Seen)
        if seen.fit == first.fit and not _is_after(seen, first)
    }


def _is_after(seen: Seen, first: FirstDifference) -> bool:
    """Tell whether batches came after a difference."""
    # At a step its epoch is not complete yet; at an epoch's end the next one has that number.
    return seen.epoch > first.epoch or (seen.epoch == first.epoch and first.moment != "step")


def _by_losses(first: FirstDifference, loss_step: int | None) -> tuple[CauseKind, str]:
    if loss_step is not None and loss_step < first.step:
        return (
            "not known",
            f"the loss differs from step {loss_step} on; weights were digested later",
        )
    if first.moment == "step":
        return _not_known("neither the batch nor the loss of this step was recorded")
    return _not_known(
        "only epochs were recorded; rerun --bisect finds the step, "
        "steps=1 of ReproCallback or watch records it"
    )


def _at(trail: Trail, first: FirstDifference) -> Digested | None:
    """Return the step record of the step that differs; None if that step has none."""
    for weights in trail.moments():
        if isinstance(weights, Digested) and (weights.fit, weights.step) == (first.fit, first.step):
            return weights
    return None


def _since(trail: Trail, first: FirstDifference) -> int:
    """Return the step after which the batches of a step record begin."""
    resumed = (record.step for record in trail.of(Resumed) if record.fit == first.fit)
    steps = (
        weights.step
        for weights in trail.moments()
        if weights.fit == first.fit and weights.moment == "step" and weights.step < first.step
    )
    return max((*resumed, *steps), default=0)


def _why(trail: Trail, fit: int) -> str:
    """Return why a fit has no digests of batches, or what to do to get them."""
    last = [record for record in trail.of(Granularity) if record.fit == fit][-1:]
    if not last or not (last[0].every or last[0].chosen):
        return " (use steps=1 of ReproCallback or watch)"
    return f": {last[0].data}" if isinstance(last[0].data, Unavailable) else ""


def first_loss_difference(original: Trail, other: Trail, fit: int) -> int | None:
    """Return the first step after which a loss or metric of both differs in any bit."""
    recorded = dict(_values(original, fit))
    for step, values in _values(other, fit):
        expected = recorded.get(step, {})
        if any(expected[name] != values[name] for name in expected.keys() & values):
            return step
    return None


def _values(trail: Trail, fit: int) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the bits of each step's loss and metrics."""
    for record in trail.of(Losses):
        if record.fit == fit:
            yield from values_of(record)
