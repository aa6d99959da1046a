"""Judges two finished runs."""

from __future__ import annotations

from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import check_intact, read_manifest, read_trail
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge


def verify_capsules(
    original: Capsule,
    other: Capsule,
    limit: Limit | None = None,
    tolerance: Tolerance | None = None,
) -> Verdict:
    """Return the verdict on two capsules on this disk; see ``judge`` for the limits.

    Raises:
        ReproError: one of them cannot be read, or is invalid.
    """
    first, second = read_manifest(original), read_manifest(other)
    check_intact(original, first)
    check_intact(other, second)
    trails = read_trail(original), read_trail(other)
    return judge(first, trails[0], second, trails[1], limit, tolerance=tolerance)
