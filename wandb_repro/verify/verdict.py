"""The verdict: a record that can be asked, with what it rests on."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.causes import rank
from wandb_repro.verify.distance import Distance, distance
from wandb_repro.verify.evidence import Side, reasons_inconclusive, reasons_not_comparable
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.first_cause import FirstCause, find_first_cause
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.tolerance import Tolerance, ToleranceResult, apply_tolerance
from wandb_repro.verify.trail_diff import Comparison, FirstDifference, Limit, algorithms_of, compare

__all__ = ["EXIT_CODES", "Bisection", "Grade", "Verdict", "judge"]

Grade = Literal["identical", "equivalent", "diverged", "inconclusive"]

EXIT_CODES: dict[Grade, int] = {"identical": 0, "equivalent": 0, "diverged": 1, "inconclusive": 3}
"""Equivalent is what was asked for: without a stated tolerance there is no such grade."""


class Bisection(Record):
    """An epoch that differed, run again on both sides with a digest after every step."""

    original: str
    """The run that stands for the original: it gave the original's digests here; empty without."""
    rerun: str
    first: FirstDifference | None
    moved: FirstCause | None = None
    causes: tuple[Finding, ...]
    reason: str
    """Why no step is named; empty when one is."""


class Verdict(Record):
    """Whether two trainings are the same, and on what evidence."""

    grade: Grade
    original: str
    """The run that was repeated."""
    rerun: str
    """The run that is compared with it."""
    scope: str
    """How far was compared when not everything: ``epoch 3``; empty for all."""
    moments: int
    """Moments at which the weights were compared."""
    digests: int
    """Digests of single variables that were compared."""
    final_weights: str
    """Digest of the original's last compared weights, ``ALGORITHM:HEX``; empty without one."""
    reasons: tuple[str, ...]
    """Why it is inconclusive, or no more than diverged though within the stated tolerance."""
    first: FirstDifference | None
    causes: tuple[Finding, ...]
    """The likeliest first; only what can change bits."""
    metric_epochs: int
    metrics_equal_bits: int
    metrics_equal_printed: int
    moved: FirstCause | None = None
    """What moved first at that difference; None where nothing differs."""
    tolerance: ToleranceResult | None = None
    """What was allowed and what it was applied to; None where nothing was stated."""
    distance: Distance | None = None
    """How far apart the weights are in the end; None where nothing differs, or no numbers tell."""
    bisection: Bisection | None = None
    """What ``rerun --bisect`` found; None where it was not asked for, or nothing differs."""

    @property
    def exit_code(self) -> int:
        """What a command that gives this verdict ends with."""
        return EXIT_CODES[self.grade]


def judge(
    original: Manifest,
    original_trail: Trail,
    rerun: Manifest,
    rerun_trail: Trail,
    limit: Limit | None = None,
    extra: tuple[Finding, ...] = (),
    tolerance: Tolerance | None = None,
) -> Verdict:
    """Give the verdict on two runs.

    Args:
        original: the record of the run that is repeated.
        original_trail: its trail, chain-checked.
        rerun: the record of the other run.
        rerun_trail: its trail, chain-checked.
        limit: compare only so far.
        extra: differences known from elsewhere, such as a rebuilt package that is not equal.
        tolerance: what may differ for the two to be called equivalent; nothing unless stated.
    """
    limit, tolerance = limit or Limit(), tolerance or Tolerance()
    found = compare(original_trail, rerun_trail, limit)
    ends_early = any(limit.reached_by(weights) for weights in original_trail.moments())
    sides = (
        Side("the original", original, original_trail),
        Side("the rerun", rerun, rerun_trail),
    )
    reasons = (
        reasons_not_comparable(*sides, whole=not ends_early)
        if found.first
        else reasons_inconclusive(*sides, found, whole=not ends_early)
    )
    apart = distance(original_trail, rerun_trail, limit) if found.first else None
    applied = (
        apply_tolerance(original_trail, rerun_trail, tolerance, limit, apart)
        if found.first and tolerance.is_stated
        else None
    )
    moved = find_first_cause(original_trail, rerun_trail, found.first) if found.first else None
    causes = (
        rank((*differences(original, rerun), *extra), found.first, original, moved)
        if found.first
        else ()
    )
    return Verdict(
        grade=_grade(found.first, reasons, applied),
        original=run_name(original),
        rerun=run_name(rerun),
        scope=str(limit) if ends_early or limit.after is not None else "",
        moments=found.moments,
        digests=found.digests,
        final_weights=_last_weights(original_trail, found),
        reasons=reasons if not found.first or (applied and applied.within) else (),
        first=found.first,
        moved=moved,
        causes=causes,
        metric_epochs=found.metric_epochs,
        metrics_equal_bits=found.metrics_equal_bits,
        metrics_equal_printed=found.metrics_equal_printed,
        tolerance=applied,
        distance=apart,
    )


def _grade(
    first: FirstDifference | None, reasons: tuple[str, ...], applied: ToleranceResult | None
) -> Grade:
    if first is None:
        return "inconclusive" if reasons else "identical"
    alike = applied is not None and applied.within and not first.structure
    return "equivalent" if alike and not reasons else "diverged"


def _last_weights(original: Trail, found: Comparison) -> str:
    algorithms = algorithms_of(original)
    return f"{algorithms[1]}:{found.last_root}" if algorithms and found.last_root else ""
