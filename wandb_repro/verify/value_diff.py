"""Compares what two trails hold besides weights: losses, batches, logged rows, summaries."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple, TypeAlias

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Logged, Losses, Seen, Summary, TrailRecord
from wandb_repro.manifest.volatile import is_volatile
from wandb_repro.manifest.volatile_files import differ_in_time
from wandb_repro.verify.outcome import OutputDifference, OutputKind
from wandb_repro.verify.row_steps import STEP, RowStep, other_steps, row_steps

_DIGITS = 16
"""Hexadecimal digits of one number."""

ABSENT = "not there"

_TEXT = "str:"
"""What a logged text begins with in a trail."""

Side: TypeAlias = Literal[0, 1]
"""0 is the original, 1 the rerun."""

_Key: TypeAlias = tuple[str, int, int, int, int]
"""Kind, fit, epoch, first and last place: records of other places are compared at the end."""
_Order: TypeAlias = tuple[float, float]


class _Found(NamedTuple):
    order: _Order
    difference: OutputDifference


class ValueComparison:
    """Takes the records of two trails as they are read, in any order, and compares pairs.

    Two trails with the same records need no memory for that, however long they are.

    Args:
        patterns: names of volatile values besides those of the published rule.
        rows: whether rows of the history and summaries are compared.
    """

    def __init__(
        self,
        patterns: Sequence[str] = (),
        *,
        rows: bool = True,
    ) -> None:
        self._patterns = tuple(patterns)
        self._compares_rows = rows
        self._waiting: tuple[dict[_Key, TrailRecord], dict[_Key, TrailRecord]] = ({}, {})
        self._last_rows = [0, 0]
        self._found: dict[tuple[OutputKind, str], _Found] = {}
        self.keys: set[str] = set()
        """Names whose values were compared."""
        self.volatile: set[str] = set()
        """Names that differ in every run, and were not compared."""
        self.unknown: set[str] = set()
        """Logged names whose values were not digested."""
        self.rows = 0
        """Rows of the history that were compared."""

    @property
    def last_rows(self) -> tuple[int, int]:
        """Number of the last row of the history of the original and of the rerun; 0 if none."""
        return self._last_rows[0], self._last_rows[1]

    def take(self, side: Side, record: TrailRecord) -> None:
        """Take the next record of one side; records of other kinds are ignored."""
        key = self._key(side, record)
        if key is None:
            return
        waiting = self._waiting[1 - side].pop(key, None)
        if waiting is None:
            self._waiting[side][key] = record
        else:
            original, rerun = (record, waiting) if side == 0 else (waiting, record)
            self._compare(original, rerun)

    def _key(self, side: Side, record: TrailRecord) -> _Key | None:
        if isinstance(record, Losses):
            return "losses", record.fit, record.epoch, record.first, record.last
        if isinstance(record, Seen):
            number = 0 if isinstance(record.batches, Unavailable) else len(record.batches)
            return "seen", record.fit, record.epoch, 0, number
        if isinstance(record, Logged):
            self._last_rows[side] = max(self._last_rows[side], record.first + record.rows - 1)
            return ("logged", 0, 0, record.first, record.rows) if self._compares_rows else None
        if isinstance(record, Summary):
            return ("summary", 0, 0, 0, 0) if self._compares_rows else None
        return None

    def _compare(self, original: TrailRecord, rerun: TrailRecord) -> None:
        if isinstance(original, Losses) and isinstance(rerun, Losses):
            self._compare_losses(original, rerun)
        elif isinstance(original, Seen) and isinstance(rerun, Seen):
            self._compare_seen(original, rerun)
        elif isinstance(original, Logged) and isinstance(rerun, Logged):
            self._compare_rows(original, rerun)
        elif isinstance(original, Summary) and isinstance(rerun, Summary):
            self._compare_summaries(original, rerun)

    def _compare_losses(self, original: Losses, rerun: Losses) -> None:
        self._note_names(original.bits)
        if original.every == rerun.every and original.bits == rerun.bits:
            return
        self._compare_steps(dict(values_of(original)), dict(values_of(rerun)), original)

    def _compare_steps(
        self,
        original: Mapping[int, Mapping[str, str]],
        rerun: Mapping[int, Mapping[str, str]],
        record: Losses,
    ) -> None:
        """Compare the values of the steps that both have."""
        for step in sorted(original.keys() & rerun.keys()):
            where = lambda step=step: f"{_step_name(step, record)}"  # noqa: E731
            order = (float(record.fit), float(step))
            self.compare("loss", original[step], rerun[step], where, order)

    def _compare_seen(self, original: Seen, rerun: Seen) -> None:
        if isinstance(original.batches, Unavailable) or isinstance(rerun.batches, Unavailable):
            return
        if original.batches != rerun.batches:
            where = f"the start of epoch {original.epoch + 1}{_of_fit(original.fit)}"
            order = (float(original.fit), -1.0 if original.epoch == 0 else float("inf"))
            self.note_batches(where, order)

    def note_batches(self, where: str, order: _Order) -> None:
        """Note that the batches at this place differ."""
        self._note("batches", "batches", where, ("", ""), order)

    def _compare_rows(self, original: Logged, rerun: Logged) -> None:
        self._note_names((*original.numbers, *original.texts))
        self._note_unknown(original)
        self.rows += original.rows
        if original.steps != rerun.steps:
            self._compare_row_steps([original], [rerun])
        if original.numbers == rerun.numbers and original.texts == rerun.texts:
            return
        self._compare_row_by_row(dict(rows_of(original)), dict(rows_of(rerun)))

    def _compare_row_steps(
        self, original: Iterable[TrailRecord], rerun: Iterable[TrailRecord]
    ) -> None:
        """Compare W&B's steps of the rows that both logged with a value that is compared."""
        if any(fnmatchcase(STEP, pattern) for pattern in self._patterns):
            self.volatile.add(STEP)
            return
        steps = [self._steps(records) for records in (original, rerun)]
        for row, left, right in other_steps(*steps):
            values = f"int:{left}", f"int:{right}"
            self._note("logged", STEP, f"row {row}", values, (float("inf"), float(row)))

    def _steps(self, records: Iterable[TrailRecord]) -> dict[int, RowStep]:
        found: dict[int, RowStep] = {}
        for record in records:
            if isinstance(record, Logged):
                names = (*record.numbers, *record.texts)
                if not all(is_volatile(name, self._patterns) for name in names):
                    found.update(row_steps(record))
        return found

    def _compare_row_by_row(
        self, original: Mapping[int, Mapping[str, str]], rerun: Mapping[int, Mapping[str, str]]
    ) -> None:
        """Compare rows by number; a row that only one run has differs in each of its keys."""
        for row in sorted(original.keys() | rerun.keys()):
            values = original.get(row, {}), rerun.get(row, {})
            self.compare(
                "logged", *values, lambda row=row: f"row {row}", (float("inf"), float(row))
            )

    def _compare_summaries(self, original: Summary, rerun: Summary) -> None:
        self._note_names(original.values)
        if original.values != rerun.values:
            order = (float("inf"), float("inf"))
            self.compare("summary", original.values, rerun.values, lambda: "", order)

    def compare(
        self,
        what: OutputKind,
        original: Mapping[str, str],
        rerun: Mapping[str, str],
        where: Callable[[], str],
        order: _Order,
    ) -> None:
        """Compare two sets of named values, written as in a trail.

        Args:
            what: kind of the values.
            original: by name.
            rerun: by name.
            where: returns the place in words.
            order: sorts differences: fit, then step.
        """
        self._note_names(original)
        for name in (*original, *(name for name in rerun if name not in original)):
            left, right = original.get(name, ""), rerun.get(name, "")
            if left == right or is_volatile(name, self._patterns):
                continue
            if left.startswith(_TEXT) and differ_in_time(left, right):
                self.keys.discard(name)
                self.volatile.add(name)
                continue  # listed as volatile, by its content
            self._note(what, name, where(), (left, right), order)

    def _note(
        self, what: OutputKind, key: str, where: str, values: tuple[str, str], order: _Order
    ) -> None:
        known = self._found.get((what, key))
        places = known.difference.places + 1 if known else 1
        if known is not None and known.order <= order:
            difference = known.difference.model_copy(update={"places": places})
            self._found[what, key] = known._replace(difference=difference)
            return
        left, right = map(readable, values)
        difference = OutputDifference(
            what=what, key=key, where=where, original=left, rerun=right, places=places
        )
        self._found[what, key] = _Found(order, difference)

    def _note_names(self, names: Mapping[str, object] | Sequence[str]) -> None:
        for name in names:
            volatile = name in self.volatile or is_volatile(name, self._patterns)
            (self.volatile if volatile else self.keys).add(name)

    def _note_unknown(self, record: Logged) -> None:
        self.unknown.update(
            name
            for name, texts in record.texts.items()
            if any(text.startswith(UNKNOWN) for text in texts)
            and not is_volatile(name, self._patterns)
        )

    def differences(self, *, whole: bool) -> tuple[OutputDifference, ...]:
        """Return all differences, one for each name, the earliest first. Call it last.

        Args:
            whole: whether the runs are compared to their end: then rows that only one run logged
                are differences too.
        """
        self._compare_rest(whole=whole)
        found = sorted(self._found.values(), key=lambda each: each.order)
        if not whole:
            found = [each for each in found if not self._is_unfinished(each)]
        return tuple(each.difference for each in found)

    def _is_unfinished(self, found: _Found) -> bool:
        """Tell whether a key is missing in the last row of a run that ended before the other."""
        difference = found.difference
        in_last = found.order == (float("inf"), float(min(self._last_rows)))
        missing = ABSENT in (difference.original, difference.rerun)
        return difference.what == "logged" and in_last and missing

    def _compare_rest(self, *, whole: bool) -> None:
        """Compare what was cut into records in different ways."""
        originals, reruns = self._waiting
        by_fit = _by_fit(originals), _by_fit(reruns)
        for place in by_fit[0].keys() & by_fit[1].keys():
            (record, first), (_, second) = by_fit[0][place], by_fit[1][place]
            self._note_names([name for values in first.values() for name in values])
            self._compare_steps(first, second, record)
        rows = _all_rows(originals), _all_rows(reruns)
        if not whole:
            both = rows[0].keys() & rows[1].keys()
            rows = _only(rows[0], both), _only(rows[1], both)
        self.rows += len(rows[0].keys() & rows[1].keys())
        self._compare_row_by_row(*rows)
        self._compare_row_steps(*(waiting.values() for waiting in self._waiting))
        summaries = [_summary(waiting) for waiting in self._waiting]
        if whole and any(summaries):
            left, right = (summary or Summary(values={}) for summary in summaries)
            self._compare_summaries(left, right)


UNKNOWN = "unknown:"


def _summary(waiting: Mapping[_Key, TrailRecord]) -> Summary | None:
    found = waiting.get(("summary", 0, 0, 0, 0))
    return found if isinstance(found, Summary) else None


def _only(rows: dict[int, dict[str, str]], numbers: set[int]) -> dict[int, dict[str, str]]:
    return {row: rows[row] for row in numbers}


def _by_fit(
    waiting: Mapping[_Key, TrailRecord],
) -> dict[tuple[int, int], tuple[Losses, dict[int, dict[str, str]]]]:
    """Return the values of each step, by fit and epoch; fits as in the key."""
    found: dict[tuple[int, int], tuple[Losses, dict[int, dict[str, str]]]] = {}
    for (_, fit, epoch, _, _), record in waiting.items():
        if isinstance(record, Losses):
            known = found.setdefault((fit, epoch), (record, {}))
            known[1].update(values_of(record))
    return found


def _all_rows(waiting: Mapping[_Key, TrailRecord]) -> dict[int, dict[str, str]]:
    rows: dict[int, dict[str, str]] = {}
    for record in waiting.values():
        if isinstance(record, Logged):
            rows.update(rows_of(record))
    return rows


def values_of(record: Losses) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the bits of each step's loss and metrics, 16 hexadecimal digits each."""
    counts = [len(bits) // _DIGITS for bits in record.bits.values()]
    for at in range(min(counts, default=0)):
        step = min(record.first + at * record.every, record.last)
        digits = slice(_DIGITS * at, _DIGITS * (at + 1))
        yield step, {name: bits[digits] for name, bits in record.bits.items()}


def rows_of(record: Logged) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row's number and values: numbers as 16 hexadecimal digits, others as texts."""
    for at in range(record.rows):
        digits = slice(_DIGITS * at, _DIGITS * (at + 1))
        row = {name: bits[digits] for name, bits in record.numbers.items()}
        row.update({name: texts[at] for name, texts in record.texts.items() if at < len(texts)})
        yield record.first + at, row


def _step_name(step: int, record: Losses) -> str:
    return f"step {step} (epoch {record.epoch + 1}){_of_fit(record.fit)}"


def _of_fit(fit: int) -> str:
    return f" of fit {fit}" if fit > 1 else ""


def readable(value: str) -> str:
    """Return a value of a trail for people: bits and ``float.hex`` become a number."""
    if not value:
        return ABSENT
    try:
        if len(value) == _DIGITS:
            return repr(struct.unpack(">d", bytes.fromhex(value))[0])
        if "0x" in value or value in ("nan", "inf", "-inf"):
            return repr(float.fromhex(value))
    except ValueError:
        pass
    kind, colon, rest = value.partition(":")
    return rest if colon and kind in ("str", "int", "bool") else value
