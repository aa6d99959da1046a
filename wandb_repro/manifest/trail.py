"""The trail: digests of the weights as training went, one JSON record a line, a hash chain.

Each line holds the SHA-256 of the line before it, so that the path is proven and not only its
end. A line that was cut off by a crash or a full disk is left out; every whole line before it
counts.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from wandb_repro.manifest.base import Grown, Record, Unavailable, later, trusted

__all__ = [
    "PLACES",
    "SCARCE",
    "SHORT",
    "VERSION",
    "Checkpoint",
    "Digested",
    "End",
    "Granularity",
    "Losses",
    "Missing",
    "Moment",
    "Numbers",
    "Resumed",
    "Seen",
    "Shape",
    "Start",
    "Step",
    "Structure",
    "Trail",
    "TrailRecord",
    "Weights",
    "is_due",
    "places_in",
    "places_of",
    "spans_of",
]

VERSION = "1.2"

SHORT = 8
"""Hexadecimal digits of a leaf's digest in a step record: enough to name it, the root proves."""


def _exact(text: str) -> str:
    """Return the text if ``float.hex`` writes it so.

    Raises:
        ValueError: no float is written like this.
    """
    try:
        written = float.fromhex(text).hex()
    except OverflowError as error:
        raise ValueError("larger than any float") from error
    if written != text:
        raise ValueError(f"not as float.hex writes it, {written}")
    return text


HexDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{1,128}$")]
HexDigits = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]*$")]
HexFloat = Annotated[str, AfterValidator(_exact)]

PLACES = re.compile(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*", re.ASCII)
Places = Annotated[str, StringConstraints(pattern=rf"^({PLACES.pattern})?$")]

Moment = Literal["initial", "step", "epoch", "final"]


class Start(Record):
    """The first record: what made the digests."""

    kind: Literal["start"] = "start"
    version: str = VERSION
    leaf_algorithm: str
    root_algorithm: str


class Shape(Record):
    """What a leaf is. The label is for people: its counters depend on what else was built."""

    group: str
    """``trainable``, ``non_trainable``, ``seed`` or ``optimizer``."""
    label: str
    dtype: str
    shape: tuple[int, ...]


class Structure(Record):
    """The leaves of a model, in its own order; written again when they change."""

    kind: Literal["structure"] = "structure"
    fit: int
    """Number of the ``fit`` call within the run, from 1."""
    leaves: tuple[Shape, ...]


class Weights(Record):
    """Every leaf's digest at one moment."""

    kind: Literal["weights"] = "weights"
    fit: int
    moment: Moment
    epoch: int
    """Epochs that were complete, counted as ``fit`` counts them (``initial_epoch`` included)."""
    step: int
    """Optimizer steps of this ``fit`` that were complete."""
    root: HexDigest
    leaves: tuple[HexDigest, ...]
    """In the order of the last structure record."""
    metrics: dict[str, HexFloat] = Field(default_factory=dict)
    """Loss and metrics of the epoch, the exact bits as ``float.hex`` writes them."""


class Granularity(Grown, Record):
    """What the records of one ``fit`` can show, and what they cannot; written when it begins."""

    kind: Literal["granularity"] = "granularity"
    fit: int
    every: int
    """The weights are digested every so many steps; 0: at no step but those in ``chosen``."""
    chosen: tuple[int, ...] = ()
    """Steps after which the weights are digested beside these, rising."""
    steps_at_once: int
    """Optimizer steps that run as one (``steps_per_execution``): nothing inside is seen."""
    losses: str | Unavailable
    """What the values in *Losses* are, in words."""
    before: str | Unavailable
    """How it is found that something changed the weights between steps, in words."""
    data: str | Unavailable
    """What the digests of batches cover, in words."""
    first: str | Unavailable = later(Unavailable(unavailable="trails before 1.2 hold none"))
    """Which batches of an epoch *Seen* tells of, in words."""


class Step(Record):
    """The weights after a step: only those that changed since the record before of this fit."""

    kind: Literal["step"] = "step"
    fit: int
    epoch: int
    """Epochs that were complete."""
    step: int
    """Optimizer steps of this ``fit`` that were complete."""
    root: HexDigest
    """Over the whole digests of all leaves, also of those that did not change."""
    changed: Places
    """Positions in the last structure of this fit, from 0, rising: ``0-52,60``."""
    leaves: HexDigits
    """For each of these the first 8 hexadecimal digits of its digest, one after the other."""
    before: HexDigest | None
    """Root of the weights when the first step since the record before began, where that is not
    the record before's: something else than training changed them. None where it is the same, or
    was not looked at."""
    data: HexDigest | None
    """Root over the batches since the last step record; ``Granularity.data`` says why not."""


class Losses(Record):
    """Loss and metrics after each step, all their bits."""

    kind: Literal["losses"] = "losses"
    fit: int
    epoch: int
    """Epochs that were complete."""
    first: int
    """Step after which the first value stood."""
    every: int
    """Steps from one value to the next."""
    last: int
    """Step after which the last value stood: an epoch may end within ``every``."""
    bits: dict[str, HexDigits]
    """Of each metric its values one after the other, IEEE 754 binary64, big-endian, 16
    hexadecimal digits each."""


class Numbers(Record):
    """A few numbers of each leaf, to tell how far apart weights are that are not equal.

    They decide nothing: equal numbers are no equal weights. One string a column, 16 hexadecimal
    digits a number (IEEE 754 binary64, big-endian), in the order of the last structure.
    """

    kind: Literal["numbers"] = "numbers"
    fit: int
    moment: Moment
    epoch: int
    step: int
    algorithm: str
    norm: HexDigits
    """Euclidean norm of the finite elements."""
    low: HexDigits
    """Least finite element; NaN where there is none."""
    high: HexDigits
    """Greatest finite element; NaN where there is none."""
    sketch: HexDigits
    """Four projections of the finite elements on fixed signs, one leaf after the other."""
    non_finite: tuple[int, ...]
    """How many elements are NaN or infinite."""


class Seen(Record):
    """The first batches of an epoch, as the model got them."""

    kind: Literal["seen"] = "seen"
    fit: int
    epoch: int
    """Epochs that were complete before it."""
    batches: tuple[str, ...] | Unavailable
    """Hexadecimal root of each: over its elements, in order. The reason where one has none."""
    rows: tuple[str, ...]
    """Of each batch ``ALGORITHM:HEX`` over the content of its rows and of those before it: stays
    when only their order changes. Empty where rows are not told apart."""


class Missing(Record):
    """A moment whose weights could not be digested."""

    kind: Literal["missing"] = "missing"
    fit: int
    moment: Moment
    epoch: int
    step: int
    reason: str


class Checkpoint(Record):
    """A checkpoint of the training, or why there is none; the last of an epoch counts."""

    kind: Literal["checkpoint"] = "checkpoint"
    fit: int
    epoch: int
    """Epochs that were complete."""
    step: int
    """Optimizer steps of this ``fit`` that were complete, those before a resume included."""
    path: str
    """Absolute, on the machine that trained."""
    digest: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""
    """SHA-256 of the file; empty where there is none."""
    size_bytes: int = 0
    root: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,128}$")] = ""
    """Root of the weights in it; empty where there is none."""
    best: bool = False
    """Whether it was the best so far, by what the callback was told to monitor."""
    reason: str = ""
    """Why it is not there: it could not be written, or was deleted. Empty where it is."""
    unsaved: tuple[str, ...] = ()
    """What of the training it does not hold, in words: a resume from it is not exact."""


class Resumed(Record):
    """A training went on from a checkpoint."""

    kind: Literal["resumed"] = "resumed"
    fit: int
    epoch: int
    """Epochs that were complete."""
    step: int
    path: str
    """Absolute, of the checkpoint."""
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the checkpoint."""
    inexact: tuple[str, ...] = ()
    """Why it may not be as though it had never stopped, in words; empty where nothing is known."""


class End(Record):
    """The last record: without it the run did not end by itself."""

    kind: Literal["end"] = "end"
    status: Literal["finished", "interrupted", "failed"]
    fits: int


TrailRecord = Annotated[
    Start
    | Granularity
    | Structure
    | Weights
    | Step
    | Losses
    | Numbers
    | Seen
    | Missing
    | Checkpoint
    | Resumed
    | End,
    Field(discriminator="kind"),
]


def spans_of(changed: str) -> Iterator[tuple[int, int]]:
    """Yield first and last of each span that a step record's ``changed`` names."""
    for part in changed.split(",") if changed else ():
        first, _, last = part.partition("-")
        yield int(first), int(last or first)


def places_of(changed: str) -> Iterator[int]:
    """Yield the positions that ``changed`` names: ``0-2,5`` is 0, 1, 2, 5."""
    for first, last in spans_of(changed):
        yield from range(first, last + 1)


def places_in(places: Iterable[int]) -> str:
    """Return rising positions as ``changed`` names them."""
    spans: list[list[int]] = []
    for place in places:
        if spans and spans[-1][1] == place - 1:
            spans[-1][1] = place
        else:
            spans.append([place, place])
    return ",".join(f"{one}-{two}" if two > one else f"{one}" for one, two in spans)


def is_due(step: int, every: int, chosen: Sequence[int], steps_at_once: int) -> bool:
    """Tell whether the weights are digested after a step: it, or one that ran with it, was meant.

    Args:
        step: the last step that is complete.
        every: as in *Granularity*.
        chosen: as in *Granularity*.
        steps_at_once: how many steps ended together, this one the last.
    """
    first = step - steps_at_once + 1
    if every and step // every > (first - 1) // every:
        return True
    return any(first <= one <= step for one in chosen)


class Digested(Weights):
    """A step record with what it left out filled in: as ``Weights``, and what only steps know.

    ``leaves`` holds the first digits of each digest where a step record wrote them, all of them
    where an earlier record did.
    """

    before: HexDigest | None = None
    data: HexDigest | None = None


_R = TypeVar("_R", bound=Record)


SCARCE = (Start, Granularity, Missing, Checkpoint, Resumed, End)
"""Kinds of which a trail has few, however long it is."""


@dataclass(frozen=True)
class Trail:
    """A trail that was read and whose chain was checked."""

    records: Sequence[TrailRecord]
    """In order. Can be gone through again and again, and may be read from the disk each time."""
    torn: bool
    """Whether the last line was cut off."""
    scarce: Sequence[TrailRecord] | None = None
    """All records of these kinds; None where nobody gathered them."""

    def of(self, kind: type[_R]) -> Iterator[_R]:
        """Yield the records of one kind, in order."""
        are_few = any(kind is one for one in SCARCE)
        few = self.scarce if are_few else None
        records = self.records if few is None else few
        return (record for record in records if isinstance(record, kind))

    @property
    def weights(self) -> tuple[Weights, ...]:
        """The moments that were digested, in order, all at once: for trails that are not long."""
        return tuple(self.moments())

    def moments(self) -> Iterator[Weights]:
        """Yield the moments that were digested, in order."""
        return (weights for weights, _ in self.with_shapes())

    @cached_property
    def missing(self) -> tuple[Missing, ...]:
        """The moments that were not, with their reasons."""
        return tuple(self.of(Missing))

    @property
    def start(self) -> Start | None:
        """The first record."""
        return next(self.of(Start), None)

    @cached_property
    def end(self) -> End | None:
        """The last record; None when the run did not end by itself."""
        return next(self.of(End), None)

    def with_shapes(self) -> Iterator[tuple[Weights, tuple[Shape, ...]]]:
        """Yield each digested moment with the leaves it is about."""
        known = _Known()
        for record in self.records:
            if isinstance(record, Step):
                yield known.filled(record), known.shapes(record.fit)
            elif isinstance(record, Weights):
                yield known.whole(record), known.shapes(record.fit)
            elif isinstance(record, Structure):
                known.begin(record)


class _Known:
    """The leaves and digests of each fit so far: two may train in turns."""

    def __init__(self) -> None:
        self._shapes: dict[int, tuple[Shape, ...]] = {}
        self._last: tuple[Shape, ...] = ()
        self._leaves: dict[int, tuple[str, ...]] = {}

    def begin(self, structure: Structure) -> None:
        self._shapes[structure.fit] = self._last = structure.leaves
        self._leaves[structure.fit] = ("",) * len(structure.leaves)

    def shapes(self, fit: int) -> tuple[Shape, ...]:
        return self._shapes.get(fit, self._last)

    def whole(self, weights: Weights) -> Weights:
        self._leaves[weights.fit] = weights.leaves
        return weights

    def filled(self, step: Step) -> Digested:
        leaves = self._leaves[step.fit]
        if step.leaves:
            leaves = self._leaves[step.fit] = _replaced(leaves, step)
        return trusted(
            Digested,
            {
                "kind": "weights",
                "fit": step.fit,
                "moment": "step",
                "epoch": step.epoch,
                "step": step.step,
                "root": step.root,
                "leaves": leaves,
                "metrics": {},
                "before": step.before,
                "data": step.data,
            },
        )


def _replaced(leaves: tuple[str, ...], step: Step) -> tuple[str, ...]:
    written = step.leaves
    short = _short_ones(written) if len(written) <= _OFTEN else _split(written)
    if len(short) == len(leaves):
        return short
    found = list(leaves)
    at = 0
    for first, last in spans_of(step.changed):
        found[first : last + 1] = short[at : at + last + 1 - first]
        at += last + 1 - first
    return tuple(found)


_OFTEN = 1 << 16
"""Digits: of longer ones nothing is remembered."""


def _split(written: str) -> tuple[str, ...]:
    return tuple([written[at : at + SHORT] for at in range(0, len(written), SHORT)])


@functools.lru_cache(maxsize=8)
def _short_ones(written: str) -> tuple[str, ...]:
    """Split. Two trails that are compared hold the same digits one after the other, if alike."""
    return _splitter(len(written))(written)


@functools.lru_cache(maxsize=16)
def _splitter(digits: int) -> Callable[[str], tuple[str, ...]]:
    """Return what splits so many digits, in half the time that a loop takes."""
    if digits < 2 * SHORT:
        return _split
    return itemgetter(*(slice(at, at + SHORT) for at in range(0, digits, SHORT)))
