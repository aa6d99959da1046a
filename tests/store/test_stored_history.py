from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from wandb_repro.errors import StoreError
from wandb_repro.store import stored_history as module
from wandb_repro.store.stored_history import Read, merged, pages_of, read_rows

Row = Mapping[str, object]

SERVER = "http://wandb.example"


class Server:
    """Answers as W&B does: with a sample, if a range has more rows than were asked for."""

    def __init__(self, steps: Sequence[int]) -> None:
        self._steps = steps
        self.ranges: list[tuple[int, int]] = []

    def ask(self, first: int, end: int) -> Sequence[Row]:
        self.ranges.append((first, end))
        steps = [step for step in self._steps if first <= step < end]
        every = -(-len(steps) // 1000) or 1
        return [{"_step": step} for step in steps[::every]][:1000]


@pytest.mark.parametrize(
    "steps",
    [
        range(2500),
        [0, 999, 1000, 5000],
        range(0, 10**12, 10**9),
        [*range(1200), *range(10**6, 10**6 + 3000), 10**9],
        [5 * 10**11, *range(10**12 - 4000, 10**12)],
        [],
    ],
)
def test_each_row_comes_once_however_far_apart_the_steps_are(steps: Sequence[int]) -> None:
    server = Server(steps)
    read = [row for page in pages_of(server.ask, 10**12) for row in page]
    assert [row["_step"] for row in read] == list(steps)
    assert len(server.ranges) < 100


def test_a_gap_of_a_page_does_not_end_the_history() -> None:
    server = Server([0, 1500])  # where scan_history of wandb 0.27.1 ends at step 0
    assert sum(map(len, pages_of(server.ask, 1501))) == 2


def test_a_history_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_PAGES", 3)
    with pytest.raises(StoreError, match="more than 3 pages"):
        list(pages_of(Server(range(5000)).ask, 5000))


def test_rows_of_one_step_are_merged_and_the_later_value_counts() -> None:
    rows: list[Row] = [
        {"_step": 2, "a": 1, "d": 5},
        {"_step": 1, "b": 1},
        {"_step": 2.0, "a": 3, "c": 4},
        {"global_step": 7},
        {"_step": "5"},
    ]
    assert merged(rows) == (
        [(1, {"_step": 1, "b": 1}), (2, {"_step": 2.0, "a": 3, "d": 5, "c": 4})],
        2,
    )


class _Run:
    """A run whose server returns more than the range that was asked for, and then is gone."""

    lastHistoryStep = 2000  # noqa: N815
    state = "finished"

    def __init__(self, pages: int) -> None:
        self._pages = pages

    def _exec(self, query: object, **variables: int) -> dict[str, Any]:
        assert "history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize)" in str(query)
        assert variables["pageSize"] == 1000
        self._pages -= 1
        if self._pages < 0:
            raise ConnectionError("connection refused")
        rows = [{"_step": step, "x": float("nan")} for step in range(0, 3000, 500)]
        lines = [json.dumps(row) for row in (*rows, {"bare": 2**64})]
        return {"project": {"run": {"history": lines}}}


def read(run: _Run) -> tuple[list[int], Read]:
    steps: list[int] = []
    found = read_rows(run, 2500, SERVER, lambda rows: steps.extend(step for step, _ in rows))
    return steps, found


def test_each_row_is_in_the_page_of_its_step() -> None:
    steps, found = read(_Run(pages=2))
    assert steps == [0, 500, 1000, 1500, 2000, 2500]
    assert found == Read("finished", without_step=2)


def test_a_server_that_is_gone_in_the_middle_is_an_error() -> None:
    with pytest.raises(StoreError, match="did not answer: connection refused") as raised:
        read(_Run(pages=1))
    assert raised.value.exit_code == 4
    assert "Check the network" in raised.value.hint
