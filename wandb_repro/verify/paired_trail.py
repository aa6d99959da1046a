"""Reads a rerun's trail with the original's numbers and names of what threads made.

Threads race: fits begin in another order, and the threads of a pool take other tasks. What is equal
is paired first, since two runs that made the same things are the same; the rest by thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, TypeVar

from wandb_repro.digest import root_digest
from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import (
    WHOLE_RUN,
    Granularity,
    Shape,
    TrailRecord,
    Weights,
    owner_of,
)
from wandb_repro.verify.fit_pairs import numbered_by_model
from wandb_repro.verify.thread_pairs import contents_of, paired_fits, paired_owners, pairs

_R = TypeVar("_R", bound=Record)


def paired(original: Trail, rerun: Trail) -> Trail:
    """Return the rerun's trail, its fits numbered and its threads' state named like the original's.

    Without threads, or if their order is the same in both, that is the trail itself.
    """
    models = [numbered_by_model(trail.of(Granularity)) for trail in (original, rerun)]
    if not _have_threads(original, rerun):
        fits = pairs(*({fit: (key,) for fit, key in side.items()} for side in models))
        names, order = dict[str, str](), dict[str, int]()
    else:
        sides = contents_of(original), contents_of(rerun)
        fits = paired_fits((sides[0], models[0]), (sides[1], models[1]))
        names = paired_owners(*sides)
        order = {owner: at for at, owner in enumerate(sides[0].state)}
    fits = _without_clashes(fits, [_fits_of(trail) for trail in (original, rerun)])
    names = {name: partner for name, partner in names.items() if name != partner}
    if not fits and not names:
        return rerun
    return _PairedTrail(rerun.records, rerun.torn, rerun.scarce, rerun, fits, names, order)


def _have_threads(*trails: Trail) -> bool:
    plans = (plan.thread for trail in trails for plan in trail.of(Granularity))
    things = (
        thing.thread
        for trail in trails
        for thing in (trail.inventory.things if trail.inventory else ())
    )
    return any(plans) or any(things)


def _fits_of(trail: Trail) -> list[int]:
    return list(dict.fromkeys(plan.fit for plan in trail.of(Granularity)))


def _without_clashes(paired: Mapping[int, int], fits: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return a new number for each fit of the rerun that must not keep its own.

    Args:
        paired: the original's numbers of the rerun's fits that have a partner.
        fits: numbers of the original's fits and of the rerun's.
    """
    taken = set(paired.values())
    alone = [fit for fit in fits[1] if fit not in paired]
    kept = {fit for fit in alone if fit not in taken}
    free = [fit for fit in fits[0] if fit not in taken | kept]
    new = chain(free, count(max((0, *fits[0], *fits[1])) + 1))
    numbers = dict(paired) | {fit: next(new) for fit in alone if fit not in kept}
    return {fit: number for fit, number in numbers.items() if fit != number}


@dataclass(frozen=True)
class _PairedTrail(Trail):
    """A trail with other numbers of fits and other names of what threads made."""

    inner: Trail = field(default_factory=lambda: Trail((), torn=False))
    fits: Mapping[int, int] = field(default_factory=dict[int, int])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """The original's names of owners that have others here."""
    order: Mapping[str, int] = field(default_factory=dict[str, int])
    """The original's order of all owners at the end of the run."""

    def of(self, kind: type[_R]) -> Iterator[_R]:
        return map(self._renumbered, self.inner.of(kind))

    def with_shapes(
        self, see: Callable[[TrailRecord], object] | None = None
    ) -> Iterator[tuple[Weights, tuple[Shape, ...]]]:
        def see_renumbered(record: TrailRecord) -> None:
            if see is not None:
                see(self._renumbered(record))

        for weights, shapes in self.inner.with_shapes(see_renumbered):
            if weights.fit == WHOLE_RUN:
                yield self._renamed(weights, shapes) if self.names else (weights, shapes)
            else:
                yield self._renumbered(weights), shapes

    def _renumbered(self, record: _R) -> _R:
        number: Any = getattr(record, "fit", None)
        new = self.fits.get(number) if number is not None else None
        return record if new is None else record.model_copy(update={"fit": new})

    def _renamed(
        self, weights: Weights, shapes: tuple[Shape, ...]
    ) -> tuple[Weights, tuple[Shape, ...]]:
        """Return the state of the run in the original's order, with its names."""
        owners = [owner_of(shape.label) for shape in shapes]
        new = [self.names.get(owner, owner) for owner in owners]
        if weights.moment == "end":
            places = sorted(range(len(shapes)), key=lambda at: self.order.get(new[at], _LAST))
        else:  # what a thread made may have been another thing then
            places = [at for at, owner in enumerate(owners) if owner == new[at]]
        leaves = tuple(weights.leaves[at] for at in places)
        update: dict[str, Any] = {"leaves": leaves}
        if root_digest(_grouped(shapes, weights.leaves)) == weights.root:
            update["root"] = root_digest(_grouped([shapes[at] for at in places], leaves))
        renamed = tuple(_with_owner(shapes[at], owners[at], new[at]) for at in places)
        return weights.model_copy(update=update), renamed


_LAST = 1 << 62


def _grouped(shapes: Sequence[Shape], leaves: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip((shape.group for shape in shapes), leaves, strict=True)


def _with_owner(shape: Shape, owner: str, new: str) -> Shape:
    if owner == new:
        return shape
    return shape.model_copy(update={"label": f"{new}{shape.label.removeprefix(owner)}"})
