"""Do two parts of the data have rows in common?"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset import Measured, dataset_of
from wandb_repro.capture.dataset.arrays import arrays_of, kind_of
from wandb_repro.capture.dataset.columns import whole_column
from wandb_repro.capture.dataset.equal_values import Change, changing, common_types
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
"""Without limits: leakage cannot be excluded by a sample."""


def assert_no_leakage(*, rows_allowed: int = 0, **parts: object) -> None:
    """Fail if two parts of the data, such as ``train`` and ``test``, have a row in common.

    Rows are compared by their content, not by their index, and without their targets: an image
    that is in both is found even if its labels differ, or if one part has it as float32 and the
    other as float64.

    Args:
        rows_allowed: how many rows of a part may be in another, such as known duplicates.
        parts: by name: examples along the first axis (arrays, tensors, tables, dicts of these), a
            pair ``(x, y)`` of examples and targets, a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset``, which is not used up.

    Raises:
        AssertionError: parts have rows in common, or a part could not be read.
        UsageError: there are fewer than two parts.
    """
    __tracebackhide__ = True
    if len(parts) < 2:
        raise UsageError(
            "Leakage is between two parts of the data. Name them: "
            "assert_no_leakage(train=(x, y), test=(x_test, y_test))."
        )
    known = _measured(parts)
    for name, part in known.items():
        if part.reason:
            fail(f"Nothing shows whether rows of {name!r} are in another part: {part.reason}.")
    found = [
        (overlap, first, second)
        for first, second in combinations(known.values(), 2)
        if (overlap := overlap_of(first.measured, second.measured)) is not None
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


def _measured(parts: Mapping[str, object]) -> dict[str, _Part]:
    known = {name: _Part.of(name, value, changing({})) for name, value in parts.items()}
    types = common_types(part.types for part in known.values())
    if not types:
        return known
    return {name: _Part.of(name, value, changing(types)) for name, value in parts.items()}


class _Part(NamedTuple):
    """A part of the data, and its examples if they are in memory."""

    name: str
    x: object
    measured: Measured
    change: Change

    @classmethod
    def of(cls, name: str, value: object, change: Change) -> _Part:
        pair = list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else []
        x, y = (pair[0], pair[1]) if len(pair) == 2 else (cast("object", value), None)
        return cls(name, x, dataset_of(name, x, y, limits=_ALL, change=change), change)

    @property
    def types(self) -> dict[str, str]:
        """The dtype of each column of the examples, by role."""
        arrays = self.measured.dataset.arrays
        columns = () if isinstance(arrays, Unavailable) else arrays
        return {one.role: one.dtype for one in columns if one.role.split("/")[0] == "x"}

    @property
    def numbers(self) -> Any:
        """A number for each example, equal only if the content is equal.

        NumPy array of shape (examples,), dtype uint64.
        """
        arrays = arrays_of("x", self.x)
        columns = [whole_column(role, self.change(role, array))[1] for role, array in arrays]
        numpy: Any = sys.modules["numpy"]
        return functools.reduce(paired, columns) if columns else numpy.empty(0, "u8")

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
        """Number of rows; 0 if unknown."""
        rows = self.measured.dataset.rows
        return rows if isinstance(rows, int) else 0


def _report(overlap: Overlap, first: _Part, second: _Part) -> Iterator[tuple[str, str]]:
    """Yield how many rows two parts have in common, and the first of these rows."""
    for part, other, many in (
        (second, first, overlap.rows_of_two),
        (first, second, overlap.rows_of_one),
    ):
        share = f" ({many / part.rows:.1%})" if part.rows else ""
        about = "about " if overlap.estimated else ""
        yield (
            f"in {part.name}",
            f"{about}{many:,} of {part.rows:,} rows{share} also in {other.name}",
        )
    for count, (i, j) in enumerate(_pairs(first, second)):
        yield "" if count else "such as", f"row {j} of {second.name} is row {i} of {first.name}"


def _pairs(first: _Part, second: _Part) -> Iterator[tuple[int, int]]:
    """Yield the indices of the first common rows, in each part, if both parts are in memory."""
    if not (kind_of(first.x) and kind_of(second.x)):
        return
    numbers = cast("list[int]", first.numbers.tolist())
    indices = {number: index for index, number in reversed(list(enumerate(numbers)))}
    shown = 0
    for index, number in enumerate(cast("list[int]", second.numbers.tolist())):
        if number in indices and shown < _SHOWN:
            shown += 1
            yield indices[number], index
