"""Applies a stated tolerance: how far apart two trainings may be and still count as equivalent."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.distance import MARGIN, Distance
from wandb_repro.verify.trail_cursor import moment_id
from wandb_repro.verify.value_diff import ABSENT


@dataclass(frozen=True)
class Tolerance:
    """What the user allows to differ; nothing by default."""

    rtol: float | None = None
    """Largest difference of any metric, and distance of any weight, relative to its size."""
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    """Largest difference of each named metric, in the metric's own unit."""

    @property
    def is_stated(self) -> bool:
        """Whether anything was stated."""
        return self.rtol is not None or bool(self.metrics)


class MeasuredDifference(Record):
    """One number of both runs, its difference, and how much is allowed."""

    what: str
    """A metric or logged key, ``val_accuracy``, or a variable, ``dense/kernel``."""
    original: str
    """The value, as Python writes it: ``0.8653``, ``nan``; empty for weights."""
    rerun: str
    apart: str
    """Absolute difference; for weights a bound that their distance hardly ever exceeds."""
    allowed: str
    within: bool
    of: Literal["metric", "weights", "logged"] = "metric"


class ToleranceResult(Record):
    """A stated tolerance, and the numbers that it was applied to."""

    rtol: float | None
    metrics: dict[str, float]
    at: str
    """The moment whose metrics were compared, in words; empty if there is none."""
    measured: tuple[MeasuredDifference, ...]
    within: bool
    """Whether at least one number was compared and all are within the tolerance."""
    reason: str
    """Why it could not be applied; empty if it could."""
    weights_at: str = ""
    """The moment whose weights were compared, in words; empty if none were."""


def apply_tolerance(
    original: Trail,
    rerun: Trail,
    tolerance: Tolerance,
    limit: Limit,
    apart: Distance | None = None,
    logged: Sequence[MeasuredDifference] = (),
) -> ToleranceResult:
    """Apply a tolerance to the original's last moment with metrics, and the last logged values.

    A tolerance is about the result of a training, not the steps to it. NaN is never within
    it, and nothing is if a named metric is missing. ``rtol`` also covers the weights if both
    trails have numbers of them at the end: four times the estimated distance of each variable
    must be within it.
    """
    others = (*_weights(apart, tolerance.rtol), *logged)
    named = {number.what for number in logged if ABSENT not in (number.original, number.rerun)}
    if apart is not None and tolerance.rtol is not None and not apart.at_end:
        return _result(tolerance, "", (), f"both have numbers of the weights only at {apart.at}")
    last = _last(original, limit)
    if last is None:
        judged = others and set(tolerance.metrics) <= named
        why = "" if judged else "the original has no metrics"
        return _result(tolerance, "", () if why else others, why, apart)
    other = _same_moment(last, rerun)
    if other is None:
        return _result(tolerance, "", (), f"the rerun has no metrics of {_name(last)}")
    in_both = (set(last.metrics) & set(other.metrics)) | named
    unknown = sorted(set(tolerance.metrics) - in_both)
    if unknown:
        have = ", ".join(sorted(last.metrics)) or "none"
        why = f"metric {unknown[0]} is not in both runs; the original has {have}"
        return _result(tolerance, _name(last), (), why)
    measured = (*_metrics(last, other, tolerance), *others)
    why = "" if measured else "the runs have no metric in common"
    has_weights = any(number.of == "weights" for number in measured)
    return _result(tolerance, _name(last), measured, why, apart if has_weights else None)


def _result(
    tolerance: Tolerance,
    at: str,
    measured: tuple[MeasuredDifference, ...],
    reason: str,
    apart: Distance | None = None,
) -> ToleranceResult:
    return ToleranceResult(
        rtol=tolerance.rtol,
        metrics=dict(tolerance.metrics),
        at=at,
        measured=measured,
        within=bool(measured) and all(number.within for number in measured),
        reason=reason,
        weights_at=apart.at if apart and not reason else "",
    )


def _weights(apart: Distance | None, rtol: float | None) -> Iterator[MeasuredDifference]:
    """Yield each weight of the model, a bound on its distance, and what is allowed."""
    if apart is None or rtol is None or not apart.at_end:
        return
    for leaf in apart.leaves:
        bound, allowed = MARGIN * float(leaf.apart), rtol * float(leaf.size)
        yield MeasuredDifference(
            what=leaf.label,
            original="",
            rerun="",
            apart=repr(bound),
            allowed=repr(allowed),
            within=bound <= allowed,
            of="weights",
        )


def _last(trail: Trail, limit: Limit) -> Weights | None:
    """Return the last moment within the limit that has metrics."""
    found = [weights for weights, _ in limit.within(trail.with_shapes()) if weights.metrics]
    return found[-1] if found else None


def _same_moment(moment: Weights, trail: Trail) -> Weights | None:
    found = [weights for weights in trail.weights if moment_id(weights) == moment_id(moment)]
    return found[-1] if found else None


def _name(moment: Weights) -> str:
    return f"the end of epoch {moment.epoch}" + (f" of fit {moment.fit}" if moment.fit > 1 else "")


def _metrics(last: Weights, other: Weights, tolerance: Tolerance) -> Iterator[MeasuredDifference]:
    """Yield the metrics that are judged: named ones by their own tolerance, others by ``rtol``."""
    for name in sorted(set(last.metrics) & set(other.metrics)):
        original, rerun = float.fromhex(last.metrics[name]), float.fromhex(other.metrics[name])
        if name in tolerance.metrics:
            yield measured_difference(name, original, rerun, tolerance.metrics[name])
        elif tolerance.rtol is not None:
            allowed = tolerance.rtol * max(abs(original), abs(rerun))
            yield measured_difference(name, original, rerun, allowed)


def measured_difference(
    what: str,
    original: float,
    rerun: float,
    allowed: float,
    of: Literal["metric", "logged"] = "metric",
) -> MeasuredDifference:
    """Return how far apart two numbers of a run's result are, and whether that is allowed."""
    # Equal infinities do not differ, though their difference is NaN. A NaN differs from all.
    difference = 0.0 if original == rerun else abs(original - rerun)
    within = math.isfinite(difference) and difference <= allowed
    return MeasuredDifference(
        what=what,
        original=repr(original),
        rerun=repr(rerun),
        apart=repr(difference),
        allowed=repr(allowed),
        within=within,
        of=of,
    )
