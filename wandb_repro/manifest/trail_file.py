"""A trail's lines: how each follows from the one before it, and what may follow what."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from pydantic import TypeAdapter, ValidationError

from wandb_repro.errors import ManifestError, TrailError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import first_fault, trusted
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.trail import (
    PLACES,
    SHORT,
    VERSION,
    End,
    Start,
    Step,
    Structure,
    Trail,
    TrailRecord,
    Weights,
    spans_of,
)

__all__ = ["Lines", "chained", "parse"]

_FIRST_LINK = "0" * 64
_ADAPTER: TypeAdapter[TrailRecord] = TypeAdapter(TrailRecord)
_KINDS = frozenset(
    {
        *("start", "granularity", "structure", "weights", "step"),
        *("losses", "numbers", "seen", "missing", "checkpoint", "resumed", "end"),
    }
)


def chained(record: TrailRecord, previous: str) -> tuple[bytes, str]:
    """Return the record's line and the link that the next line holds.

    Args:
        record: what to write.
        previous: the link of the line before; the empty string for the first.
    """
    if isinstance(record, Step) and not record.model_extra:
        line = _written(record, previous or _FIRST_LINK)
    else:
        body = cast("dict[str, JSON]", record.model_dump(mode="json"))
        line = canonical.dumps({**body, "prev": previous or _FIRST_LINK})
    return line + b"\n", hashlib.sha256(line).hexdigest()


def _written(step: Step, previous: str) -> bytes:
    """Return the canonical line of a step, faster than by way of JSON."""
    before = "null" if step.before is None else f'"{step.before}"'
    data = "null" if step.data is None else f'"{step.data}"'
    return (
        f'{{"before":{before},"changed":"{step.changed}","data":{data},"epoch":{step.epoch},'
        f'"fit":{step.fit},"kind":"step","leaves":"{step.leaves}","prev":"{previous}",'
        f'"root":"{step.root}","step":{step.step}}}'
    ).encode("ascii")


def parse(lines: Iterable[bytes]) -> Trail:
    """Read a trail into memory.

    Args:
        lines: of the file, with their line ends; the last may be cut off.

    Raises:
        TrailError: a line is not a record, does not follow from the one before, or does not fit
            those before it.
    """
    read = Lines(lines)
    return Trail(tuple(read), torn=read.torn)


class Lines:
    """Yields the records of a trail's lines, checked. Gone through once.

    Raises:
        TrailError: while it is gone through, as ``parse`` does.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.torn = False
        """Whether the last line was cut off; known when all were gone through."""

    def __iter__(self) -> Iterator[TrailRecord]:
        order = _Order()
        link = _FIRST_LINK
        for number, line in enumerate(self._lines, start=1):
            if self.torn:
                raise TrailError(
                    f"Line {number - 1} of the trail is cut off, and more lines follow."
                )
            if not line.endswith(b"\n"):
                self.torn = True
                continue
            record = _record(line, number, link)
            link = hashlib.sha256(line[:-1]).hexdigest()
            if record is not None:
                order.check(record, number)
                yield record


_STEP = re.compile(
    r'\{"before":(?:null|"([0-9a-f]{1,128})"),"changed":"([0-9,-]*)",'
    r'"data":(?:null|"([0-9a-f]{1,128})"),"epoch":(0|[1-9][0-9]{0,17}),'
    r'"fit":(0|[1-9][0-9]{0,17}),"kind":"step","leaves":"([0-9a-f]*)",'
    r'"prev":"([0-9a-f]{64})","root":"([0-9a-f]{1,128})","step":(0|[1-9][0-9]{0,17})\}\n'
)
"""A step record as we write it. Of a million, reading each as JSON would take minutes."""


def _step(line: bytes, number: int, link: str) -> Step | None:
    """Return a step record that is written as we do; None if it is another or written otherwise."""
    match = _STEP.fullmatch(line.decode("latin-1"))  # takes ASCII only, as it is written
    if match is None:
        return None
    before, changed, data, epoch, fit, leaves, previous, root, step = match.groups()
    if changed and not _named(changed).spelled:
        return None
    _refuse_unless(previous == link, number)
    return trusted(
        Step,
        {
            "kind": "step",
            "fit": int(fit),
            "epoch": int(epoch),
            "step": int(step),
            "root": root,
            "changed": changed,
            "leaves": leaves,
            "before": before,
            "data": data,
        },
    )


def _refuse_unless(follows: bool, number: int) -> None:
    if not follows:
        raise TrailError(
            f"Line {number} of the trail does not follow from the line before it.",
            hint="The trail was changed or parts of it are gone; download the run's files again.",
        )


def _record(line: bytes, number: int, link: str) -> TrailRecord | None:
    step = _step(line, number, link)
    if step is not None:
        return step
    body = _body(line, number)
    _refuse_unless(body.pop("prev", None) == link, number)
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
        self._leaves: dict[int, int] = {}
        self._last = 0
        self._digested: set[int] = set()

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
            self._leaves[record.fit] = self._last = len(record.leaves)
            self._digested.discard(record.fit)
        elif isinstance(record, Weights | Step):
            self._digested.add(record.fit)

    def _fault(self, record: TrailRecord) -> str:
        if isinstance(record, Step) and self._started and not self._ended:
            return self._fault_of_step(record)
        if isinstance(record, Start):
            return self._fault_of_start(record)
        if not self._started:
            return "is not a start record, which comes first"
        if self._ended:
            return "stands behind the end record"
        return self._fault_of_weights(record) if isinstance(record, Weights) else ""

    def _fault_of_start(self, record: Start) -> str:
        if self._started:
            return "is a second start record"
        if not record.version.startswith(f"{VERSION.split('.')[0]}."):
            return (
                f"says format {record.version}; this wandb_repro reads {VERSION}, "
                "so upgrade wandb-repro"
            )
        return ""

    def _fault_of_weights(self, record: Weights) -> str:
        there = self._leaves.get(record.fit, self._last)
        if len(record.leaves) != there:
            return f"has {len(record.leaves)} digests for {there} variables"
        return ""

    def _fault_of_step(self, record: Step) -> str:
        there = self._leaves.get(record.fit, 0)
        named = _named(record.changed)
        if not named.rising or named.last >= there:
            return f"names variables {record.changed[:80]} of {there}"
        if len(record.leaves) != SHORT * named.places:
            return f"has {len(record.leaves)} digits for {named.places} variables"
        if record.fit not in self._digested and named.places != there:
            return f"has {named.places} digests for {there} variables"
        return ""


class _Named(NamedTuple):
    """What a step record's ``changed`` says."""

    spelled: bool
    """Whether it is written as it has to be."""
    rising: bool = False
    last: int = -1
    places: int = 0


def _named(changed: str) -> _Named:
    """Return what ``changed`` says. Most steps of a training say the same."""
    return _named_often(changed) if len(changed) <= _OFTEN else _read_named(changed)


def _read_named(changed: str) -> _Named:
    if not PLACES.fullmatch(changed):
        return _Named(spelled=not changed, rising=not changed)
    spans = list(spans_of(changed))
    edges = [-1, *(edge for span in spans for edge in span)]
    # A span of one place has equal edges; the next begins behind it.
    rising = all(two > one for one, two in zip(edges[::2], edges[1::2], strict=False))
    rising = rising and all(two >= one for one, two in spans)
    places = sum(two - one + 1 for one, two in spans)
    return _Named(spelled=True, rising=rising, last=edges[-1], places=places)


_OFTEN = 4096
"""Characters: of longer ones nothing is remembered."""

_named_often = functools.lru_cache(maxsize=256)(_read_named)
