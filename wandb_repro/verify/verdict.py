"""The verdict on two runs: a record with the grade and the evidence for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import WHOLE_RUN
from wandb_repro.verify.causes import rank, rank_for_outputs
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.config_diff import ComparedConfig, config_differences
from wandb_repro.verify.continued import common_part, continuations
from wandb_repro.verify.coverage import coverage_of, volatile_names, with_files
from wandb_repro.verify.distance import Distance, distance
from wandb_repro.verify.ending_diff import EndingComparison, Endings
from wandb_repro.verify.evidence import Side, reasons_inconclusive, reasons_not_comparable
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.first_cause import FirstCause, find_first_cause
from wandb_repro.verify.joined_fits import joined
from wandb_repro.verify.logged_tolerance import logged_differences
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.outcome import Coverage, OutputDifference
from wandb_repro.verify.output_diff import ComparedFiles, output_differences
from wandb_repro.verify.paired_trail import paired
from wandb_repro.verify.tolerance import Tolerance, ToleranceResult, apply_tolerance
from wandb_repro.verify.trail_diff import Comparison, algorithms_of, compare
from wandb_repro.verify.unmeasured_state import unmeasured_state
from wandb_repro.verify.weights_diff import FirstDifference

Grade = Literal["identical", "equivalent", "diverged", "inconclusive"]

EXIT_CODES: dict[Grade, int] = {"identical": 0, "equivalent": 0, "diverged": 1, "inconclusive": 3}
"""Equivalent is a success: that grade exists only if the user stated a tolerance."""
_RERUN_FAILED = 5


class Bisection(Record):
    """The result of running the epoch that differs again, twice, with a digest after every step."""

    original: str
    """The run that repeated the original's digests here; empty if none did."""
    rerun: str
    first: FirstDifference | None
    moved: FirstCause | None = None
    causes: tuple[Finding, ...]
    reason: str
    """Why no step is named; empty if one is."""


class Verdict(Record):
    """Whether two trainings are identical, and the evidence."""

    grade: Grade
    original: str
    """The run that was repeated."""
    rerun: str
    """The run that is compared with the original."""
    scope: str
    """The part that was compared: ``epoch 3``; empty for all."""
    moments: int
    """Moments at which the weights were compared."""
    digests: int
    """Digests of single variables that were compared."""
    final_weights: str
    """Digest of the original's last compared weights, ``ALGORITHM:HEX``; empty if there is none."""
    reasons: tuple[str, ...]
    """Why it is inconclusive, or diverged although it is within the stated tolerance."""
    first: FirstDifference | None
    causes: tuple[Finding, ...]
    """Differences that could have changed bits, the likeliest first."""
    metric_epochs: int
    """Epochs whose metrics both runs have."""
    metrics_equal_bits: int
    """Of these, how many have equal metrics in every bit."""
    metrics_equal_printed: int
    """Of these, how many have metrics that look the same when Keras prints them."""
    moved: FirstCause | None = None
    """What changed first at that difference; None if nothing differs."""
    tolerance: ToleranceResult | None = None
    """What was allowed and what it was applied to; None if nothing was stated."""
    distance: Distance | None = None
    """How far apart the weights ended; None if nothing differs or the trails do not show it."""
    bisection: Bisection | None = None
    """What ``rerun --bisect`` found; None if it was not requested or nothing differs."""
    outputs: tuple[OutputDifference, ...] = ()
    """What else differs: batches, losses, metrics, logged values; the earliest place of each."""
    covers: Coverage = Coverage()
    """What was compared."""
    last_equal: str = ""
    """The last moment that was equal, in words; empty if none was."""
    joined: tuple[str, ...] = ()
    """Fits of one run that are one fit of the other, and were compared as one, in words."""
    endings: Endings | None = None
    """How the two runs ended; None if only a part of them was compared."""

    @property
    def exit_code(self) -> int:
        """Exit code of a command with this verdict."""
        if self.grade == "inconclusive" and self.endings and self.endings.rerun_failed:
            return _RERUN_FAILED
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
    """Give the verdict on two runs from their records and trails, whose chains were checked.

    By default everything is compared, and nothing may differ in equivalent runs. ``extra`` are
    differences known from elsewhere, such as a rebuilt package that is not equal.
    """
    part = common_part(original_trail, rerun_trail) if limit in (None, Limit()) else limit
    limit, tolerance = part or Limit(), tolerance or Tolerance()
    extra = (*extra, *continuations(original_trail, rerun_trail))
    original_trail, rerun_trail, joints = joined(original_trail, rerun_trail)
    rerun_trail = paired(original_trail, rerun_trail)
    ends_early = any(limit.reached_by(weights) for weights in original_trail.moments())
    volatile = (*volatile_names(original), *volatile_names(rerun))
    ending = EndingComparison((original, original_trail), (rerun, rerun_trail))
    whole = ending.alike is True and not ends_early
    files = output_differences(original, rerun, volatile) if whole else ComparedFiles()
    config = config_differences(original, rerun, volatile) if whole else ComparedConfig()
    limit = replace(limit, end=whole)
    found = compare(original_trail, rerun_trail, limit, volatile, whole=whole)
    if not ends_early:
        if not ending.reached(found) and whole:
            # The same failure in another epoch: their states at the end are not comparable.
            limit, files, config = replace(limit, end=False), ComparedFiles(), ComparedConfig()
            found = compare(original_trail, rerun_trail, limit, volatile, whole=False)
        found = replace(found, outputs=(*found.outputs, *ending.difference()))
    found = replace(found, outputs=(*found.outputs, *config.differences, *files.differences))
    found = replace(found, volatile=found.volatile | set(config.volatile))
    sides = (Side("the original", original, original_trail), Side("the rerun", rerun, rerun_trail))
    first, moved, causes, apart, applied = found.first, None, (), None, None
    if first is None:
        reasons = reasons_inconclusive(*sides, found, whole=not ends_early, ending=ending)
        reasons = (*reasons, *(f"not compared: {file}" for file in files.unknown))
        if found.outputs:
            causes = rank_for_outputs((*differences(original, rerun), *extra), found.outputs)
    else:
        reasons = reasons_not_comparable(*sides, whole=not ends_early, ending=ending)
        moved = find_first_cause(original_trail, rerun_trail, first)
        causes = rank((*differences(original, rerun), *extra), first, original, moved)
        apart = distance(original_trail, rerun_trail, limit)
    if tolerance.is_stated and not _undecided(found):
        both = original_trail, rerun_trail
        logged = tuple(logged_differences(*both, tolerance, volatile)) if whole else ()
        applied = apply_tolerance(*both, tolerance, limit, apart, logged)
        if applied.within and whole and first is not None and first.fit != WHOLE_RUN:
            reasons = (*reasons, *unmeasured_state(*both))
    shows_reasons = _undecided(found) or bool(applied and applied.within)
    return Verdict(
        grade=_grade(found, reasons, applied),
        original=run_name(original),
        rerun=run_name(rerun),
        scope=str(limit) if ends_early or limit.after is not None else "",
        moments=found.moments,
        digests=found.digests,
        final_weights=_last_weights(original_trail, found),
        reasons=(*(reasons if shows_reasons else ()), *_no_tolerance(first, applied)),
        first=first,
        moved=moved,
        causes=causes,
        metric_epochs=found.metric_epochs,
        metrics_equal_bits=found.metrics_equal_bits,
        metrics_equal_printed=found.metrics_equal_printed,
        tolerance=applied,
        distance=apart,
        outputs=found.outputs,
        last_equal=found.last_equal,
        joined=tuple(map(str, joints)),
        endings=None if ends_early else ending.record,
        covers=with_files(coverage_of(original_trail, rerun_trail, found), files),
    )


def _no_tolerance(
    first: FirstDifference | None, applied: ToleranceResult | None
) -> tuple[str, ...]:
    """Say that no tolerance applies where a trail has digests and no numbers."""
    if applied is None or first is None or first.fit != WHOLE_RUN:
        return ()
    return (f"no tolerance applies to {first.what}: the state of the run has digests only",)


def _undecided(found: Comparison) -> bool:
    """Tell whether nothing that was compared differs."""
    return found.first is None and not found.outputs


def _grade(found: Comparison, reasons: tuple[str, ...], applied: ToleranceResult | None) -> Grade:
    first = found.first
    if _undecided(found):
        return "inconclusive" if reasons else "identical"
    alike = applied is not None and applied.within and not reasons
    if first is None:
        # Other files or batches beside equal weights are no matter of a few bits.
        alike = alike and all(_is_judged(output, applied) for output in found.outputs)
    elif first.fit == WHOLE_RUN or first.structure:
        return "diverged"
    return "equivalent" if alike else "diverged"


_MEASURED = frozenset({"loss", "metric", "logged", "summary"})
"""Kinds of differences whose last values a tolerance judges."""


def _is_judged(output: OutputDifference, applied: ToleranceResult | None) -> bool:
    """Tell whether the tolerance measured what differs; one for named metrics leaves out others."""
    if applied is None or output.what not in _MEASURED:
        return False
    return applied.rtol is None or any(number.what == output.key for number in applied.measured)


def _last_weights(original: Trail, found: Comparison) -> str:
    algorithms = algorithms_of(original)
    return f"{algorithms[1]}:{found.last_root}" if algorithms and found.last_root else ""
