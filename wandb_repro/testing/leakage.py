"""Does a row stand in two parts of the data?"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset import Measured, dataset_of
from wandb_repro.capture.dataset.arrays import arrays_of, kind_of
from wandb_repro.capture.dataset.columns import whole_column
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.capture.dataset.rows import paired
from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Overlap
from wandb_repro.recording.datasets import overlap_of
from wandb_repro.report.layout import page, rows
from wandb_repro.testing.failure import fail

_SHOWN = 5

_ALL = Limits(array_bytes=1 << 62, stream_bytes=1 << 62, seconds=600)
"""Of a sample nothing could be said."""


def assert_no_leakage(*, rows_allowed: int = 0, **parts: object) -> None:
    """Fail if a row stands in two parts of the data, such as ``train`` and ``test``.

    Rows are compared by their content, not by their index, and without their targets: an image
    that stands in both is found whatever its label says.

    Args:
        rows_allowed: how many rows of a part may stand in another: duplicates that you know of.
        parts: by name: examples along the first axis (arrays, tensors, tables, dicts of these), a
            pair ``(x, y)`` of examples and targets, a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset``, which stays as it was.

    Raises:
        AssertionError: rows stand in two parts, or a part could not be read.
        UsageError: there are not two parts.
    """
    __tracebackhide__ = True
    if len(parts) < 2:
        raise UsageError(
            "Leakage is between two parts of the data. Name them: "
            "assert_no_leakage(train=(x, y), test=(x_test, y_test))."
        )
    known = {name: _Part.of(name, value) for name, value in parts.items()}
    for name, part in known.items():
        if part.reason:
            fail(f"Nothing shows whether rows of {name!r} stand in another part: {part.reason}.")
    found = [
        (overlap, one, two)
        for one, two in combinations(known.values(), 2)
        if (overlap := overlap_of(one.measured, two.measured)) is not None
        and overlap.rows_of_two > rows_allowed
    ]
    if found:
        overlap = found[0][0]
        report = [pair for leak in found for pair in _report(*leak)]
        fail(
            f"The data leaks: {overlap}. If one of the two is training data, scores on the other "
            "are too good.",
            page(rows(report)),
        )


class _Part(NamedTuple):
    """A part of the data, and its examples where they are in memory."""

    name: str
    x: object
    measured: Measured

    @classmethod
    def of(cls, name: str, value: object) -> _Part:
        given = list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else []
        x, y = (given[0], given[1]) if len(given) == 2 else (cast("object", value), None)
        return cls(name, x, dataset_of(name, x, y, limits=_ALL))

    @property
    def reason(self) -> str:
        """Why its rows cannot be compared; empty if they can."""
        if self.measured.kept is not None:
            return ""
        digest = self.measured.dataset.digest
        why = digest if isinstance(digest, Unavailable) else self.measured.dataset.rows
        return str(why)

    @property
    def rows(self) -> int:
        """How many it has."""
        rows = self.measured.dataset.rows
        return rows if isinstance(rows, int) else 0


def _report(overlap: Overlap, one: _Part, two: _Part) -> Iterator[tuple[str, str]]:
    """Yield how many rows two parts have in common, and which the first are."""
    for part, other, many in (
        (two, one, overlap.rows_of_two),
        (one, two, overlap.rows_of_one),
    ):
        share = f" ({many / part.rows:.1%})" if part.rows else ""
        about = "about " if overlap.estimated else ""
        yield (
            f"in {part.name}",
            f"{about}{many:,} of {part.rows:,} rows{share} also in {other.name}",
        )
    for place, (first, second) in enumerate(_pairs(one, two)):
        yield "" if place else "such as", f"row {second} of {two.name} is row {first} of {one.name}"


def _pairs(one: _Part, two: _Part) -> Iterator[tuple[int, int]]:
    """Yield the places of the first rows that stand in both, where both parts are in memory."""
    if not (kind_of(one.x) and kind_of(two.x)):
        return
    theirs = cast("list[int]", _numbers(one.x).tolist())
    places = {number: place for place, number in reversed(list(enumerate(theirs)))}
    shown = 0
    for place, number in enumerate(cast("list[int]", _numbers(two.x).tolist())):
        if number in places and shown < _SHOWN:
            shown += 1
            yield places[number], place


def _numbers(x: object) -> Any:
    """Return the number of each example: equal only where the content is.

    Returns:
        NumPy array of shape (examples,), dtype uint64.
    """
    columns = [whole_column(role, array)[1] for role, array in arrays_of("x", x)]
    numpy: Any = sys.modules["numpy"]
    return functools.reduce(paired, columns) if columns else numpy.empty(0, "u8")
