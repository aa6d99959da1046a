"""The verdict on two runs that both happened already."""

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
    """Return the verdict on two capsules on this disk; ``judge`` says what the limits are.

    Raises:
        ReproError: one of them cannot be read, or is invalid.
    """
    one, two = read_manifest(original), read_manifest(other)
    check_intact(original, one)
    check_intact(other, two)
    return judge(one, read_trail(original), two, read_trail(other), limit, tolerance=tolerance)
