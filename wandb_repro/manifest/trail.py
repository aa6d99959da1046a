"""The trail: digests of the weights as training went, one JSON record a line, a hash chain.

Each line holds the SHA-256 of the line before it, so that the path is proven and not only its
end. A line that was cut off by a crash or a full disk is left out; every whole line before it
counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from wandb_repro.errors import ManifestError, TrailError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import Record, first_fault
from wandb_repro.manifest.canonical import JSON

__all__ = [
    "End",
    "Missing",
    "Moment",
    "Shape",
    "Start",
    "Structure",
    "Trail",
    "TrailRecord",
    "Weights",
    "chained",
    "parse",
]

VERSION = "1.0"
_FIRST_LINK = "0" * 64


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
HexFloat = Annotated[str, AfterValidator(_exact)]

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


class Missing(Record):
    """A moment whose weights could not be digested."""

    kind: Literal["missing"] = "missing"
    fit: int
    moment: Moment
    epoch: int
    step: int
    reason: str


class End(Record):
    """The last record: without it the run did not end by itself."""

    kind: Literal["end"] = "end"
    status: Literal["finished", "interrupted", "failed"]
    fits: int


TrailRecord = Annotated[Start | Structure | Weights | Missing | End, Field(discriminator="kind")]

_ADAPTER: TypeAdapter[TrailRecord] = TypeAdapter(TrailRecord)
_KINDS = frozenset({"start", "structure", "weights", "missing", "end"})


@dataclass(frozen=True)
class Trail:
    """A trail that was read and whose chain was checked."""

    records: tuple[TrailRecord, ...]
    torn: bool
    """Whether the last line was cut off."""

    @property
    def weights(self) -> tuple[Weights, ...]:
        """The moments that were digested, in order."""
        return tuple(record for record in self.records if isinstance(record, Weights))

    @property
    def missing(self) -> tuple[Missing, ...]:
        """The moments that were not, with their reasons."""
        return tuple(record for record in self.records if isinstance(record, Missing))

    @property
    def start(self) -> Start | None:
        """The first record."""
        return next((record for record in self.records if isinstance(record, Start)), None)

    @property
    def end(self) -> End | None:
        """The last record; None when the run did not end by itself."""
        return next((record for record in self.records if isinstance(record, End)), None)

    def with_shapes(self) -> Iterator[tuple[Weights, tuple[Shape, ...]]]:
        """Yield each digested moment with the leaves it is about."""
        shapes: tuple[Shape, ...] = ()
        for record in self.records:
            if isinstance(record, Structure):
                shapes = record.leaves
            elif isinstance(record, Weights):
                yield record, shapes


def chained(record: TrailRecord, previous: str) -> tuple[bytes, str]:
    """Return the record's line and the link that the next line holds.

    Args:
        record: what to write.
        previous: the link of the line before; the empty string for the first.
    """
    body = cast("dict[str, JSON]", record.model_dump(mode="json"))
    line = canonical.dumps({**body, "prev": previous or _FIRST_LINK})
    return line + b"\n", hashlib.sha256(line).hexdigest()


def parse(lines: Iterable[bytes]) -> Trail:
    """Read a trail.

    Args:
        lines: of the file, with their line ends; the last may be cut off.

    Raises:
        TrailError: a line is not a record, does not follow from the one before, or does not fit
            those before it.
    """
    records: list[TrailRecord] = []
    order = _Order()
    link = _FIRST_LINK
    torn = False
    for number, line in enumerate(lines, start=1):
        if torn:
            raise TrailError(f"Line {number - 1} of the trail is cut off, and more lines follow.")
        if not line.endswith(b"\n"):
            torn = True
            continue
        record = _record(line, number, link)
        link = hashlib.sha256(line[:-1]).hexdigest()
        if record is not None:
            order.check(record, number)
            records.append(record)
    return Trail(tuple(records), torn=torn)


def _record(line: bytes, number: int, link: str) -> TrailRecord | None:
    body = _body(line, number)
    if body.pop("prev", None) != link:
        raise TrailError(
            f"Line {number} of the trail does not follow from the line before it.",
            hint="The trail was changed or parts of it are gone; download the run's files again.",
        )
    kind = body.get("kind")
    if isinstance(kind, str) and kind not in _KINDS:
        return None  # a newer minor version may write more; the chain covers it all the same
    try:
        return _ADAPTER.validate_json(canonical.dumps(body))
    except ValidationError as error:
        where, what = first_fault(error)
        raise TrailError(
            f"Line {number} of the trail is not a record, at {where}: {what}."
        ) from error


def _body(line: bytes, number: int) -> dict[str, JSON]:
    try:
        body = canonical.loads(line)
    except ManifestError as error:
        raise TrailError(f"Line {number} of the trail cannot be read: {error.message}") from error
    if not isinstance(body, dict):
        raise TrailError(f"Line {number} of the trail is not a record.")
    return body


class _Order:
    """What may follow what: a start, then weights with as many leaves as their structure, an end.

    A chain proves only that lines follow each other; anybody can write one.
    """

    def __init__(self) -> None:
        self._started = self._ended = False
        self._leaves = 0

    def check(self, record: TrailRecord, number: int) -> None:
        """Take the next record.

        Raises:
            TrailError: it cannot stand here.
        """
        fault = self._fault(record)
        if fault:
            raise TrailError(f"Line {number} of the trail {fault}.")
        self._started = True
        self._ended = isinstance(record, End)
        if isinstance(record, Structure):
            self._leaves = len(record.leaves)

    def _fault(self, record: TrailRecord) -> str:
        if isinstance(record, Start):
            return self._fault_of_start(record)
        if not self._started:
            return "is not a start record, which comes first"
        if self._ended:
            return "stands behind the end record"
        if isinstance(record, Weights) and len(record.leaves) != self._leaves:
            return f"has {len(record.leaves)} digests for {self._leaves} variables"
        return ""

    def _fault_of_start(self, record: Start) -> str:
        if self._started:
            return "is a second start record"
        if not record.version.startswith(f"{VERSION.split('.')[0]}."):
            return (
                f"says format {record.version}; this wandb_repro reads {VERSION}, "
                "so upgrade wandb-repro"
            )
        return ""
