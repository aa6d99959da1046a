"""Pairs the fits of two runs by the model that they train: threads may begin in another order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wandb_repro.manifest.trail_records import OTHER_THREADS, Granularity

ModelFit = tuple[str, int, int]
"""The thread that made a model, the model's number there, and which of its fits, from 1."""


def model_key(thread: str, model: int) -> tuple[str, int]:
    """Return what the fits of one model are counted by, from ``Granularity``.

    What threads of a pool make has numbers that mean nothing in another run: all count together.
    """
    return thread, 0 if thread == OTHER_THREADS else model


def numbered_by_model(plans: Iterable[Granularity]) -> dict[int, ModelFit]:
    """Return the model of each fit and which of its fits it is, by the fit's number.

    Fits whose model is not known are left out, but those in a thread of the script are not.
    """
    found: dict[int, ModelFit] = {}
    counts: Counter[tuple[str, int]] = Counter()
    for plan in plans:
        if (plan.model or plan.thread) and plan.fit not in found:
            key = model_key(plan.thread, plan.model)
            counts[key] += 1
            found[plan.fit] = (*key, counts[key])
    return found
