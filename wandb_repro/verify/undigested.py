"""What trained and no digest covers, as one record shows it."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity

_MOST_THINGS = 5


def undigested(trail: Trail) -> tuple[str, ...]:
    """Return everything that may have trained without a digest behind it, in words."""
    return (*_small_fits(trail), *_at_the_end(trail), *(each.what for each in trail.outside))


def _small_fits(trail: Trail) -> Iterator[str]:
    """Yield the small fits at the end of a trail that no later digest covers.

    What a small fit without a digest does to a model shows in the next digest of the same model, or
    in that of everything at the end of the run.
    """
    plans = {plan.fit: plan for plan in trail.of(Granularity)}
    small = [plan for plan in plans.values() if isinstance(plan.digests, Unavailable)]
    if not small or any(state.moment == "end" for state in trail.states()):
        return
    last = max((found.fit for found in trail.moments()), default=0)
    # Without the digest at the end of the run, it is not known which fits train one model.
    fits = [plan.fit for plan in small if plan.fit > last]
    if fits:
        span = f"fit {fits[0]}" if len(fits) == 1 else f"fits {fits[0]} to {fits[-1]}"
        yield f"the weights were not digested after {span}"


def _at_the_end(trail: Trail) -> Iterator[str]:
    """Yield what was there at the end of the run and was not digested."""
    inventory = trail.inventory
    if inventory is None:
        return
    missing = [
        f"{thing.kind} {thing.name} was not digested at the end: {thing.missing}"
        for thing in inventory.things
        if thing.missing and thing.trained
    ]
    yield from missing[:_MOST_THINGS]
    more = len(missing) - _MOST_THINGS
    if more > 0:
        yield f"{more} more were not digested at the end"
    yield from inventory.notes
