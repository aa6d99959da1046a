"""The rows that a script logs, as W&B commits them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from wandb_repro.manifest.trail_records import Logged
from wandb_repro.recording.logged_values import flattened

_AT_ONCE = 256
"""Rows in one record, and the most that a killed process loses."""


class Rows:
    """Rows of the history that are not written yet.

    W&B merges calls into one row until a call commits it or names a later step.
    Source: wandb-core's handler of partial history, wandb 0.31.
    """

    def __init__(self) -> None:
        self.committed = 0
        """How many rows were committed."""
        self._step = 0
        self._pending: dict[str, float | str] = {}
        self._numbers: dict[str, list[float]] = {}
        self._texts: dict[str, list[str]] = {}
        self._buffered = 0

    def log(
        self, data: Mapping[str, object], step: int | None, commit: bool | None
    ) -> list[Logged]:
        """Take the arguments of one ``run.log``; return records that are complete.

        ``committed`` counts the rows that this call committed.
        """
        done: list[Logged] = []
        if step is not None and step < self._step:
            return done  # W&B drops the call, with a warning
        if step is not None and step > self._step:
            done += self._commit()
            self._step = step
        self._pending.update(flattened(data))
        if commit or (commit is None and step is None):
            done += self._commit()
            self._step += 1
        return done

    def _commit(self) -> list[Logged]:
        row, self._pending = self._pending, {}
        if not row:
            return []
        numbers = {name: value for name, value in row.items() if isinstance(value, float)}
        texts = {name: value for name, value in row.items() if isinstance(value, str)}
        same = numbers.keys() == self._numbers.keys() and texts.keys() == self._texts.keys()
        done = [] if same else self.taken()
        if not same:
            self._numbers = {name: [] for name in numbers}
            self._texts = {name: [] for name in texts}
        for name, number in numbers.items():
            self._numbers[name].append(number)
        for name, text in texts.items():
            self._texts[name].append(text)
        self.committed += 1
        self._buffered += 1
        return [*done, *(self.taken() if self._buffered >= _AT_ONCE else [])]

    def finish(self) -> list[Logged]:
        """Commit what is pending, as W&B does at the end, and return the last records."""
        return [*self._commit(), *self.taken()]

    def taken(self) -> list[Logged]:
        """Return the committed rows as a record, and forget them; empty if there are none."""
        if not self._buffered:
            return []
        rows, self._buffered = self._buffered, 0
        numbers = {
            name: struct.pack(f">{len(column)}d", *column).hex()
            for name, column in self._numbers.items()
        }
        texts = {name: tuple(column) for name, column in self._texts.items()}
        self._numbers = {name: [] for name in self._numbers}
        self._texts = {name: [] for name in self._texts}
        first = self.committed - rows + 1
        return [Logged(first=first, rows=rows, numbers=numbers, texts=texts)]
