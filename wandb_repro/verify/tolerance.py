"""How far apart two trainings may be and still be called equivalent: only what somebody stated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Trail, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.distance import MARGIN, Distance

__all__ = ["MeasuredDifference", "Tolerance", "ToleranceResult", "apply_tolerance"]


@dataclass(frozen=True)
class Tolerance:
    """What somebody allows. Nothing stated allows nothing: bits or nothing."""

    rtol: float | None = None
    """Largest difference of any metric, and distance of any weight, as a part of its size."""
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    """Largest difference of a metric, by its name, in the metric's own unit."""

    @property
    def is_stated(self) -> bool:
        """Whether anything was stated."""
        return self.rtol is not None or bool(self.metrics)


class MeasuredDifference(Record):
    """One number of both runs, and how far apart it may be."""

    what: str
    """``val_accuracy``; of weights the variable, ``dense/kernel``."""
    original: str
    """The value, as Python writes it: ``0.8653``, ``nan``; of weights empty."""
    rerun: str
    apart: str
    """Absolute difference; of weights the most that their distance hardly ever exceeds."""
    allowed: str
    within: bool
    of: Literal["metric", "weights"] = "metric"


class ToleranceResult(Record):
    """A stated tolerance, and what it was applied to."""

    rtol: float | None
    metrics: dict[str, float]
    at: str
    """The moment whose numbers were compared, in words; empty where there is none."""
    measured: tuple[MeasuredDifference, ...]
    within: bool
    """Whether something was measured and all of it is within."""
    reason: str
    """Why it could not be applied; empty when it could."""
    weights_at: str = ""
    """The moment whose weights were measured, in words; empty where none were."""


def apply_tolerance(
    original: Trail,
    rerun: Trail,
    tolerance: Tolerance,
    limit: Limit,
    apart: Distance | None = None,
) -> ToleranceResult:
    """Apply a tolerance to the last moment with metrics that the original holds.

    A tolerance is about what a training gave, not about the way there. A metric that is not a
    number is never within; neither is anything when a metric that was asked for is not there.
    ``rtol`` is for the weights too, where both trails hold numbers of them at the end: each
    variable is within it when four times its estimated distance is.

    Args:
        original: a trail, chain-checked.
        rerun: the other.
        tolerance: what was stated.
        limit: how far is compared.
        apart: how far apart the weights are there, as far as the trails tell.
    """
    weights = tuple(_weights(apart, tolerance.rtol))
    if apart is not None and tolerance.rtol is not None and not apart.at_end:
        return _result(tolerance, "", (), f"only {apart.at} has numbers of the weights in both")
    last = _last(original, limit)
    if last is None:
        why = "" if weights and not tolerance.metrics else "the original holds no metrics"
        return _result(tolerance, "", () if why else weights, why, apart)
    other = _same(last, rerun)
    if other is None:
        return _result(tolerance, "", (), f"the rerun holds no metrics of {_name(last)}")
    unknown = sorted(set(tolerance.metrics) - (set(last.metrics) & set(other.metrics)))
    if unknown:
        have = ", ".join(sorted(last.metrics)) or "none"
        return _result(
            tolerance, _name(last), (), f"no metric {unknown[0]} in both runs; there is {have}"
        )
    measured = (*_metrics(last, other, tolerance), *weights)
    why = "" if measured else "nothing can be measured"
    return _result(tolerance, _name(last), measured, why, apart if weights else None)


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
        within=bool(measured) and all(one.within for one in measured),
        reason=reason,
        weights_at=apart.at if apart and not reason else "",
    )


def _weights(apart: Distance | None, rtol: float | None) -> Iterator[MeasuredDifference]:
    """Yield each weight of the model, the most that it is apart, and what is allowed."""
    if apart is None or rtol is None or not apart.at_end:
        return
    for leaf in apart.leaves:
        most, allowed = MARGIN * float(leaf.apart), rtol * float(leaf.size)
        yield MeasuredDifference(
            what=leaf.label,
            original="",
            rerun="",
            apart=repr(most),
            allowed=repr(allowed),
            within=most <= allowed,
            of="weights",
        )


def _last(trail: Trail, limit: Limit) -> Weights | None:
    """Return the last epoch, within the limit, that has metrics."""
    found = [it for it, _ in limit.within(trail.with_shapes()) if it.metrics]
    return found[-1] if found else None


def _same(moment: Weights, trail: Trail) -> Weights | None:
    key = (moment.fit, moment.moment, moment.epoch, moment.step)
    found = [it for it in trail.weights if (it.fit, it.moment, it.epoch, it.step) == key]
    return found[-1] if found else None


def _name(moment: Weights) -> str:
    return f"the end of epoch {moment.epoch}" + (f" of fit {moment.fit}" if moment.fit > 1 else "")


def _metrics(one: Weights, two: Weights, tolerance: Tolerance) -> Iterator[MeasuredDifference]:
    """Yield what is judged: metrics that were named by their own measure, all by ``rtol``."""
    for name in sorted(set(one.metrics) & set(two.metrics)):
        mine, yours = float.fromhex(one.metrics[name]), float.fromhex(two.metrics[name])
        if name in tolerance.metrics:
            yield _measured(name, mine, yours, tolerance.metrics[name])
        elif tolerance.rtol is not None:
            yield _measured(name, mine, yours, _relative(mine, yours, tolerance.rtol))


def _relative(mine: float, yours: float, rtol: float) -> float:
    return rtol * max(abs(mine), abs(yours))


def _measured(what: str, mine: float, yours: float, allowed: float) -> MeasuredDifference:
    # Equal infinities are no distance apart; a NaN is far from everything, itself included.
    apart = 0.0 if mine == yours else abs(mine - yours)
    within = math.isfinite(apart) and apart <= allowed
    return MeasuredDifference(
        what=what,
        original=repr(mine),
        rerun=repr(yours),
        apart=repr(apart),
        allowed=repr(allowed),
        within=within,
    )
