"""The rows that a script logs, as W&B commits them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from wandb_repro.manifest.leaf_positions import places_in
from wandb_repro.manifest.trail_records import Logged
from wandb_repro.recording.logged_values import flattened

_AT_ONCE = 256
"""Rows in one record, and the most that a killed process loses."""


class Rows:
    """Rows of the history that are not written yet.

    W&B merges calls into one row until a call commits it or names a later step.
    Source: wandb-core's handler of partial history, wandb 0.31.

    Args:
        step: W&B's step of the next row, not 0 in a run that goes on; None if it is not known.
    """

    def __init__(self, step: int | None = 0) -> None:
        self.committed = 0
        """How many rows were committed."""
        self._step = self._begins = step or 0
        self._knows_steps = step is not None
        self._pending: dict[str, float | str] = {}
        self._names: tuple[str, ...] = ()
        self._kinds: tuple[type, ...] = ()
        self._numbers_only = False
        """Whether all of these kinds are float."""
        self._buffered: list[tuple[float | str, ...]] = []
        """Values of rows with these names, of these kinds: float or str."""
        self._steps: list[int] = []
        """Of these rows."""

    def log(
        self, data: Mapping[str, object], step: int | None, commit: bool | None
    ) -> list[Logged]:
        """Take the arguments of one ``run.log``; return records that are complete.

        ``committed`` counts the rows that this call committed.
        """
        if step is None and commit is None and not self._pending and self._numbers_only:
            values = tuple(data.values())
            # Most rows are like the one before, and nothing of them has to be read or ordered.
            if tuple(map(type, values)) == self._kinds and tuple(data) == self._names:
                done = self._take(values)
                self._step += 1
                return done
        return self._log(data, step, commit)

    def _log(
        self, data: Mapping[str, object], step: int | None, commit: bool | None
    ) -> list[Logged]:
        done: list[Logged] = []
        if step is not None and step < self._step:
            return done  # W&B drops the call, with a warning
        if step is not None and step > self._step:
            done += self._commit()
            self._step = step
        for name, value in data.items():
            if type(value) is float:  # nearly all are, and a generator would double the cost
                self._pending[name] = value
            else:
                self._pending.update(flattened({name: value}))
        if commit or (commit is None and step is None):
            done += self._commit()
            self._step += 1
        return done

    def _commit(self) -> list[Logged]:
        row, self._pending = self._pending, {}
        if not row:
            return []
        done: list[Logged] = []
        if tuple(row) != self._names:
            row = self._in_order(row)
        values = tuple(row.values())
        names, kinds = tuple(row), tuple(map(type, values))
        if names != self._names or kinds != self._kinds:
            done = self.taken()
            self._names, self._kinds = names, kinds
            self._numbers_only = set(kinds) == {float}
        return done + self._take(values)

    def _take(self, values: tuple[Any, ...]) -> list[Logged]:
        """Take the values of a committed row, in the order of the names."""
        self._buffered.append(values)
        self._steps.append(self._step)
        self.committed += 1
        return self.taken() if len(self._buffered) >= _AT_ONCE else []

    def _in_order(self, row: dict[str, float | str]) -> dict[str, float | str]:
        """Return a row in the order of the names before it, if it has the same."""
        if row.keys() != set(self._names):
            return row
        return {name: row[name] for name in self._names}

    def finish(self) -> list[Logged]:
        """Commit what is pending, as W&B does at the end, and return the last records."""
        return [*self._commit(), *self.taken()]

    def taken(self) -> list[Logged]:
        """Return the committed rows as a record, and forget them; empty if there are none."""
        if not self._buffered:
            return []
        rows, self._buffered = self._buffered, []
        steps, self._steps = self._steps, []
        columns = zip(self._names, self._kinds, zip(*rows, strict=True), strict=True)
        numbers: dict[str, str] = {}
        texts: dict[str, tuple[str, ...]] = {}
        for name, kind, column in columns:
            if kind is float:
                numbers[name] = struct.pack(f">{len(rows)}d", *column).hex()
            else:
                texts[name] = tuple(map(str, column))
        first = self.committed - len(rows) + 1
        record = Logged(first=first, rows=len(rows), numbers=numbers, texts=texts)
        if self._knows_steps:
            begins = {"begins": self._begins} if self._begins else {}
            record = record.model_copy(update={"steps": places_in(steps), **begins})
        return [record]
