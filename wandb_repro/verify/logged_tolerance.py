"""Measures the last logged values of two runs against a stated tolerance."""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged, Summary
from wandb_repro.manifest.volatile import is_volatile
from wandb_repro.verify.tolerance import MeasuredDifference, Tolerance, measured_difference
from wandb_repro.verify.value_diff import readable, rows_of


def logged_differences(
    original: Trail, rerun: Trail, tolerance: Tolerance, patterns: Sequence[str]
) -> Iterator[MeasuredDifference]:
    """Yield the last logged values that the tolerance judges.

    A summary has the last value of each key, or what the script set. A key that is in no summary,
    as after ``define_metric(summary="none")``, has its last value in the rows. A value that is no
    finite number must be equal, and one that only one run has is never within a tolerance.

    Args:
        original: trail of the run that was repeated.
        rerun: trail of the other.
        tolerance: judges all of them if it has ``rtol``, else those that it names.
        patterns: names of volatile values besides those of the published rule.
    """
    left, right = _last_values(original, rerun)
    for name in sorted({*left, *right}):
        allowed = tolerance.metrics.get(name)
        if is_volatile(name, patterns) or (allowed is None and tolerance.rtol is None):
            continue
        yield _measured(name, left.get(name, ""), right.get(name, ""), allowed, tolerance.rtol)


def _last_values(*trails: Trail) -> list[dict[str, str]]:
    summaries = [_summary(trail) for trail in trails]
    in_any = {name for summary in summaries for name in summary}
    rows = [_last_logged(trail) for trail in trails]
    return [
        {name: value for name, value in logged.items() if name not in in_any} | dict(summary)
        for logged, summary in zip(rows, summaries, strict=True)
    ]


def _last_logged(trail: Trail) -> dict[str, str]:
    """Return the last value of each logged key, written as in a summary."""
    found: dict[str, str] = {}
    for record in trail.of(Logged):
        for _, values in deque(rows_of(record), maxlen=1):
            numbers = {name: values[name] for name in record.numbers if values[name]}
            found |= values | {name: _from_bits(bits) for name, bits in numbers.items()}
    return found


def _from_bits(bits: str) -> str:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    return float(value).hex()


def _summary(trail: Trail) -> Mapping[str, str]:
    found = list(trail.of(Summary))
    return found[-1].values if found else {}


def _measured(
    name: str, one: str, two: str, allowed: float | None, rtol: float | None
) -> MeasuredDifference:
    left, right = _number(one), _number(two)
    if math.isfinite(left) and math.isfinite(right):
        limit = allowed if allowed is not None else (rtol or 0.0) * max(abs(left), abs(right))
        return measured_difference(name, left, right, limit, of="logged")
    return MeasuredDifference(
        what=name,
        original=readable(one),
        rerun=readable(two),
        apart="0.0" if one == two else "nan",
        allowed="0.0",
        within=one == two,
        of="logged",
    )


def _number(value: str) -> float:
    """Return a number of a summary, which is written as ``float.hex``; NaN for anything else."""
    try:
        return float.fromhex(value) if "0x" in value else math.nan
    except (ValueError, OverflowError):  # a text that contains 0x
        return math.nan
