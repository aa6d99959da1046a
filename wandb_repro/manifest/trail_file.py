"""Reads and writes the lines of a trail, each with the hash of the line before it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import cast, get_args

from pydantic import TypeAdapter, ValidationError

from wandb_repro.errors import ManifestError, TrailError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import first_fault, unchecked
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_order import OrderCheck, is_spelled_right
from wandb_repro.manifest.trail_records import Logged, Step, TrailRecord

_FIRST_LINK = "0" * 64
_ADAPTER: TypeAdapter[TrailRecord] = TypeAdapter(TrailRecord)
_KINDS = frozenset(kind.model_fields["kind"].default for kind in get_args(get_args(TrailRecord)[0]))


def chained(record: TrailRecord, previous: str) -> tuple[bytes, str]:
    """Return the record's line and its link: the SHA-256 that the next line contains.

    ``previous`` is the link of the line before; empty for the first line.
    """
    if isinstance(record, Step) and not record.model_extra:
        line = _written(record, previous or _FIRST_LINK)
    elif isinstance(record, Logged) and not record.model_extra and _are_ascii(record.numbers):
        line = _of_rows(record, previous or _FIRST_LINK)
    else:
        body = cast("dict[str, JSON]", record.model_dump(mode="json"))
        line = canonical.dumps({**body, "prev": previous or _FIRST_LINK})
    return line + b"\n", hashlib.sha256(line).hexdigest()


def _written(step: Step, previous: str) -> bytes:
    """Return the canonical line of a step, faster than ``json`` does."""
    before = "null" if step.before is None else f'"{step.before}"'
    data = "null" if step.data is None else f'"{step.data}"'
    return (
        f'{{"before":{before},"changed":"{step.changed}","data":{data},"epoch":{step.epoch},'
        f'"fit":{step.fit},"kind":"step","leaves":"{step.leaves}","prev":"{previous}",'
        f'"root":"{step.root}","step":{step.step}}}'
    ).encode("ascii")


def _are_ascii(names: Iterable[str]) -> bool:
    # Half of a surrogate pair, which only other names may contain, is spelled by pydantic.
    return all(map(str.isascii, names))


def _of_rows(logged: Logged, previous: str) -> bytes:
    """Return the canonical line of logged rows: ``json`` would search all digits for escapes."""
    without = logged.model_copy(update={"numbers": {}})
    body = cast("dict[str, JSON]", without.model_dump(mode="json"))
    line = canonical.dumps({**body, "prev": previous})
    numbers = b",".join(
        canonical.dumps(name) + b':"' + digits.encode("ascii") + b'"'
        for name, digits in sorted(logged.numbers.items())
    )
    # Found once: inside of a text, its quotes would have backslashes.
    return line.replace(b'"numbers":{}', b'"numbers":{' + numbers + b"}", 1)


def parse(lines: Iterable[bytes]) -> Trail:
    """Read a trail into memory from its lines with their line ends; the last may be cut off.

    Raises:
        TrailError: a line is not a record, does not contain the hash of the line before, or must
            not follow the records before it.
    """
    reader = Lines(lines)
    return Trail(tuple(reader), torn=reader.torn)


class Lines:
    """Iterates once over the records of a trail's lines and checks them.

    Raises:
        TrailError: while iterating, as ``parse`` does.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self.torn = False
        """Whether the last line was cut off; known at the end of the iteration."""

    def __iter__(self) -> Iterator[TrailRecord]:
        order = OrderCheck()
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
"""A step record as we write it. Parsing a million of them as JSON would take minutes."""


def _step(line: bytes, number: int, link: str) -> Step | None:
    """Return a step record in our own spelling; None for any other line."""
    match = _STEP.fullmatch(line.decode("latin-1"))  # never fails; the pattern has ASCII only
    if match is None:
        return None
    before, changed, data, epoch, fit, leaves, previous, root, step = match.groups()
    if changed and not is_spelled_right(changed):
        return None
    _check_link(previous == link, number)
    return unchecked(
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


def _check_link(follows: bool, number: int) -> None:
    if not follows:
        raise TrailError(
            f"Line {number} of the trail does not match the line before it.",
            hint="The trail was modified or is incomplete; download the run's files again.",
        )


def _record(line: bytes, number: int, link: str) -> TrailRecord | None:
    step = _step(line, number, link)
    if step is not None:
        return step
    body = _body(line, number)
    _check_link(body.pop("prev", None) == link, number)
    kind = body.get("kind")
    if isinstance(kind, str) and kind not in _KINDS:
        return None  # a newer minor version may write other kinds; the hash chain covers them
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
