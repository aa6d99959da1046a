"""Pairs the fits of two runs by the model that they train: threads may begin in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity

ModelFit = tuple[int, int]
"""Number of a model, and which of its fits, from 1."""


def numbered_by_model(plans: Iterable[Granularity]) -> dict[int, ModelFit]:
    """Return the model of each fit and which of its fits it is, by the fit's number.

    Fits whose model is not known are left out.
    """
    found: dict[int, ModelFit] = {}
    counts: Counter[int] = Counter()
    for plan in plans:
        if plan.model and plan.fit not in found:
            counts[plan.model] += 1
            found[plan.fit] = (plan.model, counts[plan.model])
    return found


def paired_fits(original: Trail, rerun: Trail) -> dict[int, int]:
    """Return the original's number for each fit of the rerun that has another number there."""
    numbers = {key: fit for fit, key in numbered_by_model(original.of(Granularity)).items()}
    pairs = numbered_by_model(rerun.of(Granularity)).items()
    return {fit: numbers[key] for fit, key in pairs if numbers.get(key, fit) != fit}
