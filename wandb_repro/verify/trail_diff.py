"""Two trails are compared: bit for bit, moment by moment.

Loss and metrics of two trainings: the same bits, or only the same print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal, NamedTuple

from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM
from wandb_repro.manifest.base import Record
from wandb_repro.manifest.trail import Digested, Shape, Trail, Weights
from wandb_repro.verify.compare_limit import Limit

__all__ = [
    "Comparison",
    "DifferentLeaf",
    "FirstDifference",
    "Limit",
    "Reference",
    "Stage",
    "algorithms_of",
    "compare",
    "moment_name",
    "printed",
]


Key = tuple[int, str, int, int, int]
"""Fit, moment, epoch, step, and how many moments of this name came up to it."""

Stage = Literal["initial", "first steps", "later"]
"""Where in a training the first difference lies; the likely causes depend on it."""


class DifferentLeaf(Record):
    """A variable whose bits differ."""

    group: str
    label: str
    """As the original called it."""
    shape: tuple[int, ...]
    place: int
    """Position among all leaves, from 0."""


class FirstDifference(Record):
    """The first moment at which two trainings are not the same."""

    fit: int
    moment: str
    epoch: int
    step: int
    what: str
    """In words: ``step 1 (epoch 1)``."""
    stage: Stage
    leaves: tuple[DifferentLeaf, ...]
    """Every leaf that differs at that moment, in the model's own order."""
    of_leaves: int
    last_equal: str
    """The last moment before it that was equal, in words; empty when there was none."""
    structure: str = ""
    """Why leaves cannot be paired, when the models are not alike."""


@dataclass(frozen=True)
class Comparison:
    """What was compared, and the first difference."""

    moments: int
    """Moments that both trails hold and that were compared."""
    trained_moments: int
    """Of these, how many lie after a step of training."""
    digests: int
    """Digests of single variables that were compared."""
    first: FirstDifference | None
    absent: tuple[str, ...]
    """Moments of the original that the other lacks, in words."""
    last_equal: str
    last_root: str
    """Digest over all variables at the last moment that was equal; empty without one."""
    metric_epochs: int
    """Epochs whose loss and metrics both trails hold."""
    metrics_equal_bits: int
    """Of these, how many agree in every bit."""
    metrics_equal_printed: int
    """Of these, how many look the same as Keras prints them."""
    other_batches: str = ""
    """The first moment whose weights are equal and whose batches are not; empty for none."""


def moment_name(weights: Weights) -> str:
    """Return a moment in words."""
    of_fit = f" of fit {weights.fit}" if weights.fit > 1 else ""
    if weights.moment == "initial":
        return f"the initial weights{of_fit}"
    if weights.moment == "final":
        return f"the final weights{of_fit}"
    if weights.moment == "epoch":
        return f"the end of epoch {weights.epoch}{of_fit}"
    return f"step {weights.step} (epoch {weights.epoch + 1}){of_fit}"


def algorithms_of(trail: Trail) -> tuple[str, str] | None:
    """Return the names of the algorithms of a trail's digests; None of an empty trail."""
    start = trail.start
    return (start.leaf_algorithm, start.root_algorithm) if start else None


class _Found(NamedTuple):
    weights: Weights
    shapes: tuple[Shape, ...]
    within: bool
    """Whether it lies within the limit."""
    since: int
    """Step behind which the batches of a step record begin."""


class _Cursor:
    """Goes through a trail once, beside another that has the same moments in the same order.

    What it passed and was not asked for is held; of two alike trails that is nothing, however
    long they are.
    """

    def __init__(self, trail: Trail, limit: Limit) -> None:
        self._since = _Since(limit)
        self._coming = self._keyed(trail, limit)
        self._ahead: tuple[Key, _Found] | None = next(self._coming, None)
        self.passed: dict[Key, _Found] = {}

    @property
    def begun(self) -> int:
        """How many steps lay before the part that is compared, in its fit; known once it came."""
        return self._since.begun

    def _keyed(self, trail: Trail, limit: Limit) -> Iterator[tuple[Key, _Found]]:
        """Yield a trail's moments with their keys."""
        times = _Times()
        within = True
        for weights, shapes in trail.with_shapes():
            counts = within and not limit.before(weights)
            since = self._since.step(weights)
            yield times.key(weights), _Found(weights, shapes, counts, since)
            within = within and not limit.reached_by(weights)

    @property
    def at_end(self) -> bool:
        """Whether nothing comes any more."""
        return self._ahead is None

    def take(self, key: Key) -> _Found | None:
        """Return the moment of this key, and forget it; None if the trail has none."""
        while key not in self.passed and self._ahead is not None:
            coming, found = self._ahead
            if _is_later(coming, key):
                return None
            self.passed[coming] = found
            self._ahead = next(self._coming, None)
        return self.passed.pop(key, None)

    def rest(self) -> Iterator[_Found]:
        """Yield all that was not asked for, in order."""
        yield from self.passed.values()
        while self._ahead is not None:
            yield self._ahead[1]
            self._ahead = next(self._coming, None)


_RANKS = {"initial": 0, "step": 1, "epoch": 2, "final": 3}


def _is_later(one: Key, two: Key) -> bool:
    """Tell whether one moment certainly comes after another of its fit."""
    (fit, moment, _, step, times), (of, name, _, at, count) = one, two
    place, other = (step, _RANKS[moment], times), (at, _RANKS[name], count)
    return fit == of and place > other


@dataclass
class Reference:
    """An original's trail, asked moment by moment while another training runs.

    Digests by another algorithm are not compared: they would differ, and mean nothing. The
    original is gone through once, as the other training comes to its moments.
    """

    original: Trail
    algorithms: tuple[str, str] | None = (LEAF_ALGORITHM, ROOT_ALGORITHM)
    """What makes the other training's digests."""
    limit: Limit = field(default_factory=Limit)
    last_equal: str = ""
    last_root: str = ""
    compared: int = 0
    trained: int = 0
    digests: int = 0
    other_batches: str = ""
    """As in *Comparison*."""

    def __post_init__(self) -> None:
        self._asked = _Times()
        self._since = _Since(self.limit)
        self._comparable = self.algorithms == algorithms_of(self.original)
        self._cursor = _Cursor(self.original, self.limit)
        self._last_found: _Found | None = None
        self._equal = (0, 0)
        self._held: tuple[Sequence[Shape], Sequence[Shape]] = ((), ())

    def check(self, weights: Weights, shapes: Sequence[Shape]) -> FirstDifference | None:
        """Return the difference at this moment; None if it is equal or is not compared."""
        if self.limit.leaves_out(weights.fit):
            return None
        found = self._cursor.take(self._asked.key(weights))
        self._last_found = found
        since = self._since.step(weights, self._cursor.begun)
        if found is None or not self._comparable:
            return None
        self.compared += 1
        self.digests += len(weights.leaves)
        difference = _difference(found.weights, self._paired(found.shapes, shapes), weights, shapes)
        if difference is None:
            self._note_equal(weights)
            if found.since == since:  # two trails may record other steps
                self.other_batches = self.other_batches or _other_batches(found.weights, weights)
            return None
        return difference.model_copy(
            update={"last_equal": self.last_equal, "stage": self._stage(weights)}
        )

    def _paired(self, theirs: Sequence[Shape], ours: Sequence[Shape]) -> Sequence[Shape]:
        """Return ours for theirs where they are equal: they are compared once, not every step."""
        if (id(theirs), id(ours)) != self._equal and theirs != ours:
            return theirs
        self._equal = (id(theirs), id(ours))
        self._held = (theirs, ours)  # so that no other takes these ids
        return ours

    def _note_equal(self, weights: Weights) -> None:
        self.trained += weights.step > 0
        self.last_equal = moment_name(weights)
        self.last_root = weights.root

    def _stage(self, weights: Weights) -> Stage:
        if weights.moment == "initial":
            return "initial"
        # A trail of epochs does not tell the step: nothing trained and equal yet is early.
        return "first steps" if weights.step <= 1 or not self.trained else "later"

    def absent(self) -> tuple[str, ...]:
        """Return the original's moments, within the limit, that were never asked about.

        The first thousand of them; asked last.
        """
        within = (found.weights for found in self._cursor.rest() if found.within)
        return tuple(moment_name(weights) for weights in islice(within, _MOST_NAMES))

    def exhausted_by(self, weights: Weights) -> bool:
        """Tell whether the original holds nothing after this moment, and no end either."""
        return self._is_last_found(weights) and self._cursor.at_end and self.original.end is None

    def metrics_of(self, weights: Weights) -> dict[str, str]:
        """Return the original's metrics at the moment last checked; empty if it has none."""
        found = self._last_found
        return found.weights.metrics if found and self._is_last_found(weights) else {}

    def _is_last_found(self, weights: Weights) -> bool:
        found = self._last_found
        return found is not None and _name(found.weights) == _name(weights)


_MOST_NAMES = 1000


def compare(original: Trail, other: Trail, limit: Limit | None = None) -> Comparison:
    """Compare two trails, both read and chain-checked."""
    limit = limit or Limit()
    reference = Reference(original, algorithms_of(other), limit)
    first: FirstDifference | None = None
    pairs: list[tuple[dict[str, str], dict[str, str]]] = []
    for weights, shapes in limit.within(other.with_shapes()):
        difference = reference.check(weights, shapes)
        first = first or difference
        if weights.metrics and (theirs := reference.metrics_of(weights)):
            pairs.append((theirs, weights.metrics))
    return Comparison(
        moments=reference.compared,
        trained_moments=reference.trained,
        digests=reference.digests,
        first=first,
        absent=reference.absent(),
        last_equal=first.last_equal if first else reference.last_equal,
        last_root=reference.last_root,
        metric_epochs=len(pairs),
        metrics_equal_bits=sum(one == two for one, two in pairs),
        metrics_equal_printed=sum(printed(one) == printed(two) for one, two in pairs),
        other_batches=reference.other_batches,
    )


def _name(weights: Weights) -> tuple[int, str, int, int]:
    return (weights.fit, weights.moment, weights.epoch, weights.step)


class _Times:
    """Counts moments of one name: the second of the same name is another moment.

    Only a fit's last step is remembered, since a fit's steps do not come again.
    """

    def __init__(self) -> None:
        self._at: dict[int, tuple[int, dict[tuple[int, str, int, int], int]]] = {}

    def key(self, weights: Weights) -> Key:
        """Return the key of the next moment."""
        name = _name(weights)
        known = self._at.get(weights.fit)
        if known is None or known[0] != weights.step:
            known = self._at[weights.fit] = (weights.step, {})
        times = known[1][name] = known[1].get(name, 0) + 1
        return (*name, times)


class _Since:
    """Tells behind which step the batches of a step record begin: behind the record before."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._last: dict[int, int] = {}
        self.begun = 0
        """Steps of the limit's fit before the part that is compared."""

    def step(self, weights: Weights, begun: int = 0) -> int:
        """Return it for the next moment of a trail.

        Args:
            weights: the moment.
            begun: where a trail begins that has no record before.
        """
        fit, limit = weights.fit, self._limit
        in_fit = fit == limit.fit
        if in_fit and weights.moment == "epoch" and weights.epoch == limit.after:
            self.begun = weights.step
        since = self._last.get(fit, begun if in_fit else 0)
        if weights.moment == "step":
            self._last[fit] = weights.step
        return since


def _difference(
    theirs: Weights, their_shapes: Sequence[Shape], ours: Weights, our_shapes: Sequence[Shape]
) -> FirstDifference | None:
    structure = "" if their_shapes is our_shapes else _structure(their_shapes, our_shapes)
    if not structure and theirs.root == ours.root and theirs.leaves == ours.leaves:
        return None
    different = () if structure else _different_leaves(theirs, ours, their_shapes)
    if not structure and not different and theirs.root == ours.root:
        return None
    return FirstDifference(
        fit=ours.fit,
        moment=ours.moment,
        epoch=ours.epoch,
        step=ours.step,
        what=moment_name(ours),
        stage="later",
        leaves=different,
        of_leaves=len(their_shapes),
        last_equal="",
        structure=structure or ("" if different else _ROOT_ONLY),
    )


def _other_batches(theirs: Weights, ours: Weights) -> str:
    """Return the name of a step whose batches differ, as far as both were digested."""
    if not isinstance(theirs, Digested) or not isinstance(ours, Digested):
        return ""
    if theirs.data is None or ours.data is None or theirs.data == ours.data:
        return ""
    return moment_name(ours)


_ROOT_ONLY = "every variable is equal and the digest over all of them is not: a trail was changed"


def _different_leaves(
    theirs: Weights, ours: Weights, shapes: Sequence[Shape]
) -> tuple[DifferentLeaf, ...]:
    return tuple(
        DifferentLeaf(group=shape.group, label=shape.label, shape=shape.shape, place=place)
        for place, (shape, mine, yours) in enumerate(
            zip(shapes, theirs.leaves, ours.leaves, strict=True)
        )
        if not _same(mine, yours)
    )


def _same(mine: str, yours: str) -> bool:
    """Compare two digests of a leaf; a step record may hold only the first digits."""
    if len(mine) == len(yours):
        return mine == yours
    return mine.startswith(yours) or yours.startswith(mine)


def _structure(theirs: Sequence[Shape], ours: Sequence[Shape]) -> str:
    if len(theirs) != len(ours):
        return f"the original has {len(theirs)} variables and the rerun {len(ours)}"
    for mine, yours in zip(theirs, ours, strict=True):
        if (mine.group, mine.dtype, mine.shape) != (yours.group, yours.dtype, yours.shape):
            return f"{mine.label} is {_kind(mine)} in the original and {_kind(yours)} in the rerun"
    return ""


def _kind(shape: Shape) -> str:
    return f"{shape.group} {shape.dtype}{list(shape.shape)}"


_SMALL = 1e-3


def printed(metrics: Mapping[str, str]) -> dict[str, str]:
    """Return metrics as Keras prints them, from their exact bits.

    Source: ``keras.utils.Progbar`` of Keras 3.15: four decimals, small values as an exponent.
    """
    return {name: _printed(float.fromhex(value)) for name, value in metrics.items()}


def _printed(value: float) -> str:
    return f"{value:.4e}" if abs(value) <= _SMALL else f"{value:.4f}"
