"""Small fits without digests: of thousands of one model, only some have them."""

from __future__ import annotations

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity


def uncovered_fits(trail: Trail) -> str:
    """Return which fits at the end of a trail are covered by no later digest; empty if none.

    What an undigested fit does to a model shows in the next digest of the same model, or in that
    of everything at the end of the run.
    """
    plans = {plan.fit: plan for plan in trail.of(Granularity)}
    undigested = [plan for plan in plans.values() if isinstance(plan.digests, Unavailable)]
    if not undigested or any(state.moment == "end" for state in trail.states()):
        return ""
    last = max((found.fit for found in trail.moments()), default=0)
    # Without the digest at the end of the run, it is not known which fits train one model.
    fits = [plan.fit for plan in undigested if plan.fit > last]
    if not fits:
        return ""
    span = f"fit {fits[0]}" if len(fits) == 1 else f"fits {fits[0]} to {fits[-1]}"
    return f"has no digest of the weights after {span}"
