"""Loss and metrics of every step, as Keras passes them to callbacks."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wandb_repro.recording.messages import warn_once
from wandb_repro.state.scalars import Kept, numbers_of

_AT_ONCE = 256
"""Steps in one record, and the most that a killed process loses."""


@dataclass
class Run:
    """Values of consecutive steps."""

    first: int
    """Position in the epoch, from 1, of the step of the first value."""
    last: int
    values: dict[str, list[float]]

    def bits(self) -> dict[str, str]:
        """Return each metric's values in the trail's form: big-endian float64 in hex."""
        return {
            name: struct.pack(f">{len(column)}d", *column).hex()
            for name, column in self.values.items()
        }


class LossBuffer:
    """Collects the values passed to ``on_train_batch_end``, from any thread and in any order."""

    def __init__(self, steps_at_once: int) -> None:
        self._at_once = steps_at_once
        self._found: dict[int, dict[str, float]] = {}
        self._kept: dict[int, Mapping[str, Kept]] = {}
        """Values that were not yet read, by step."""
        self._next = 0

    def take(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Take the values after the step of this position in the epoch, from 0."""
        self._found[batch] = _numbers(logs)

    def add_to_last(self, steps: int, logs: Mapping[str, Any]) -> None:
        """Add values of an epoch that its last step lacks, such as ``val_loss``.

        Args:
            steps: of the epoch.
            logs: what Keras reports after the epoch.
        """
        last = max(self._found, default=steps - 1)
        known = self._found.setdefault(last, {})
        self._found[last] = {**_numbers(logs), **known}

    def keep(self, batch: int, values: Mapping[str, Kept]) -> None:
        """Take values that ``scalars.keep`` returned: they are read together, when written."""
        self._kept[batch] = values

    def ready(self) -> bool:
        """Tell whether there are enough values for a record."""
        return len(self._found) + len(self._kept) >= _AT_ONCE

    def begin_epoch(self) -> None:
        """Count from the first step again."""
        self._found.clear()
        self._kept.clear()
        self._next = 0

    def taken(self, steps: int | None = None) -> Iterator[Run]:
        """Yield the values that arrived without a gap, and forget them.

        Args:
            steps: of the epoch, if it is over; its last batch may have had fewer steps.
        """
        self._read_kept()
        run: Run | None = None
        while self._next + self._at_once - 1 in self._found:
            first = self._next + self._at_once
            logs = self._found.pop(first - 1)
            last = min(first, steps) if steps is not None else first
            self._next = first
            if run is None or run.values.keys() != logs.keys():
                if run is not None:
                    yield run
                run = Run(last, last, {name: [] for name in logs})
            for name, number in logs.items():
                run.values[name].append(number)
            run.last = last
        if run is not None and run.values:
            yield run

    def _read_kept(self) -> None:
        kept, self._kept = self._kept, {}
        read = numbers_of([value for values in kept.values() for value in values.values()])
        numbers = iter(read)
        for batch, values in kept.items():
            found = self._found[batch] = dict[str, float]()
            for name, number in zip(values, numbers, strict=False):
                if number is None:
                    warn_once(
                        f"{name} of some steps is not recorded: it is no number, or its array was "
                        "deleted before it was read"
                    )
                else:
                    found[name] = number


def number_of(value: object) -> float | None:
    """Return a metric's value; None if it is not a single number, such as a matrix."""
    if getattr(value, "shape", ()) != ():
        return None
    try:
        return float(value)  # pyright: ignore[reportArgumentType] - whatever float takes
    except (TypeError, ValueError, OverflowError):
        return None


def exact(logs: Mapping[str, Any]) -> dict[str, str]:
    """Return loss and metrics to the last bit: 0.5 is ``0x1.0000000000000p-1``.

    A metric that is not a single number, such as a confusion matrix, is left out.
    """
    return {name: number.hex() for name, number in _numbers(logs).items()}


def _numbers(logs: Mapping[str, Any]) -> dict[str, float]:
    numbers = {str(name): number_of(value) for name, value in logs.items()}
    return {name: number for name, number in numbers.items() if number is not None}
