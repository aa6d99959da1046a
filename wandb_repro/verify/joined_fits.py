"""Reads several fits of one model as the one fit that they are in the other run.

``fit(epochs=4)`` in one run may be ``fit(epochs=2)`` and ``fit(epochs=4, initial_epoch=2)`` in the
other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import (
    WHOLE_RUN,
    End,
    Granularity,
    Losses,
    Shape,
    State,
    TrailRecord,
    Weights,
)

_R = TypeVar("_R", bound=Record)


@dataclass(frozen=True)
class Joined:
    """Consecutive fits of one run that are one fit of the other."""

    fits: tuple[int, ...]
    one: int
    """Number of the other run's fit."""
    in_rerun: bool
    """Whether it is the rerun that has several."""

    def __str__(self) -> str:
        """Return it in words: ``the original trained in fit 1, the rerun in fits 1 and 2``."""
        several = f"fits {', '.join(map(str, self.fits[:-1]))} and {self.fits[-1]}"
        sides = (f"fit {self.one}", several) if self.in_rerun else (several, f"fit {self.one}")
        return f"the original trained in {sides[0]}, the rerun in {sides[1]}"


@dataclass(frozen=True)
class _Place:
    """Where a fit is in the trail that is read."""

    fit: int
    epochs: int = 0
    """Epochs that are added to its own."""
    steps: int = 0
    joins: bool = False
    """Whether it goes on with the fit before it."""
    goes_on: bool = False
    """Whether a later one goes on with it."""


@dataclass
class _Fit:
    """What a trail shows of one fit."""

    number: int
    model: int
    first: int = 0
    last: int = 0
    """Its epochs, as ``fit`` counts them; 0 if none was complete."""
    steps: int = 0


def joined(original: Trail, rerun: Trail) -> tuple[Trail, Trail, tuple[Joined, ...]]:
    """Return two trails in which several fits of one run are one, if they are one in the other.

    A fit goes on with the one before it if both train one model, and the other run trains it for
    more epochs in one fit. Nothing is joined if both runs fit each model equally often, or if
    threads made models: their numbers are those of their threads.
    """
    trails = original, rerun
    plans = [{plan.fit: plan.model for plan in trail.of(Granularity)} for trail in trails]
    models = [sorted(model for model in found.values() if model) for found in plans]
    in_threads = any(plan.thread for trail in trails for plan in trail.of(Granularity))
    if models[0] == models[1] or not all(models) or in_threads:
        return original, rerun, ()
    fits = [_fits_of(trail, found) for trail, found in zip(trails, plans, strict=True)]
    joints = [*_joints(fits[1], fits[0], in_rerun=True), *_joints(fits[0], fits[1], in_rerun=False)]
    if not joints:
        return original, rerun, ()
    places = [_places(fits[side], joints, in_rerun=bool(side)) for side in (0, 1)]
    numbers = {places[joint.in_rerun][joint.fits[0]].fit for joint in joints}
    return (
        _JoinedTrail.of_trail(original, places[0], numbers),
        _JoinedTrail.of_trail(rerun, places[1], numbers),
        tuple(joints),
    )


def _fits_of(trail: Trail, models: Mapping[int, int]) -> list[_Fit]:
    fits = {number: _Fit(number, model) for number, model in sorted(models.items())}
    for weights in trail.moments():
        fit = fits.get(weights.fit)
        if fit is None:
            continue
        fit.steps = max(fit.steps, weights.step)
        if weights.moment == "epoch":
            fit.first = fit.first or weights.epoch
            fit.last = max(fit.last, weights.epoch)
    return list(fits.values())


def _joints(several: list[_Fit], others: list[_Fit], *, in_rerun: bool) -> Iterator[Joined]:
    """Yield the fits of one run, ``several``, that are one fit in the other."""
    for model in sorted({fit.model for fit in several if fit.model}):
        mine = [fit for fit in several if fit.model == model]
        theirs = [fit for fit in others if fit.model == model]
        if len(mine) <= len(theirs):
            continue
        for one in theirs:
            chain = _chain(mine, one)
            mine = mine[max(1, len(chain)) :]
            if len(chain) > 1:
                yield Joined(tuple(fit.number for fit in chain), one.number, in_rerun)


def _chain(fits: list[_Fit], one: _Fit) -> list[_Fit]:
    """Return the first of these fits that together have as many epochs as one."""
    chain: list[_Fit] = []
    epochs = 0
    for fit in fits:
        if not fit.last or epochs >= one.last or fit.first not in (1, epochs + 1):
            break
        chain.append(fit)
        epochs = fit.last + (epochs if fit.first == 1 else 0)
    return chain


def _places(fits: list[_Fit], joints: list[Joined], *, in_rerun: bool) -> dict[int, _Place]:
    chains = {joint.fits[0]: joint.fits for joint in joints if joint.in_rerun is in_rerun}
    later = {number for chain in chains.values() for number in chain[1:]}
    by_number = {fit.number: fit for fit in fits}
    places: dict[int, _Place] = {}
    for number in by_number:
        if number in later:
            continue
        fit = len({place.fit for place in places.values()}) + 1
        epochs = steps = 0
        chain = chains.get(number, (number,))
        for each in chain:
            part = by_number[each]
            more = epochs if part.first == 1 else 0
            places[each] = _Place(fit, more, steps, each != number, each != chain[-1])
            epochs, steps = more + part.last, steps + part.steps
    return places


@dataclass(frozen=True)
class _JoinedTrail(Trail):
    """A trail in which some fits are read as one."""

    places: Mapping[int, _Place] = field(default_factory=dict[int, _Place])
    joined: frozenset[int] = frozenset()
    """Numbers of the fits that several are read as, in both trails: their steps are left out, since
    which are digested depends on where a fit begins. The ends of their epochs show the same."""

    @classmethod
    def of_trail(cls, trail: Trail, places: Mapping[int, _Place], numbers: set[int]) -> Trail:
        return cls(trail.records, trail.torn, trail.scarce, places, frozenset(numbers))

    def of(self, kind: type[_R]) -> Iterator[_R]:
        for record in super().of(kind):
            placed = self._placed(record)
            if placed is not None:
                yield placed

    def with_shapes(
        self, see: Callable[[TrailRecord], object] | None = None
    ) -> Iterator[tuple[Weights, tuple[Shape, ...]]]:
        def see_placed(record: TrailRecord) -> None:
            placed = self._placed(record)
            if see is not None and placed is not None:
                see(placed)

        for weights, shapes in super().with_shapes(see_placed):
            placed = self._placed(weights)
            if placed is not None:
                yield placed, shapes

    def _placed(self, record: _R) -> _R | None:
        """Return a record as a part of the joined fit; None if that has no such record."""
        moment = getattr(record, "moment", "")
        if isinstance(record, End):
            return _changed(record, fits=len({place.fit for place in self.places.values()}))
        number = getattr(record, "fit", None)
        if moment == "fit" and (isinstance(record, State) or number == WHOLE_RUN):
            return None  # between the fits that are joined
        place = self.places.get(number) if isinstance(number, int) else None
        if place is None:
            return record
        if self._is_between(record, moment, place):
            return None
        changes: dict[str, Any] = {"fit": place.fit}
        if hasattr(record, "epoch"):
            changes["epoch"] = getattr(record, "epoch", 0) + place.epochs
        if hasattr(record, "step"):
            changes["step"] = getattr(record, "step", 0) + place.steps
        if isinstance(record, Losses):
            changes |= {"first": record.first + place.steps, "last": record.last + place.steps}
        return _changed(record, **changes)

    def _is_between(self, record: Record, moment: str, place: _Place) -> bool:
        if place.fit in self.joined and moment == "step":
            return True
        if place.goes_on and moment == "final":
            return True
        return place.joins and (moment == "initial" or isinstance(record, Granularity))


def _changed(record: _R, **changes: Any) -> _R:
    return record.model_copy(update=changes)
