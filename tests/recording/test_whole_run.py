from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from wandb_repro.capture.weights import Variable
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Inventory, Logged, State, Structure, Summary
from wandb_repro.recording import whole_run as module
from wandb_repro.recording.process_state import process
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.wandb_run import Run
from wandb_repro.recording.whole_run import WholeRun, summary_of
from wandb_repro.state.thread_order import OTHER, OWN, ThreadPlace
from wandb_repro.state.whole_state import WholeState
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail

THREAD = ThreadPlace(path=(("train", 1),))


class Values(dict[str, object]):
    def _as_dict(self) -> dict[str, object]:
        return dict(self)


class Logging:
    """A run with this summary."""

    def __init__(self, **summary: object) -> None:
        self.summary = Values(summary)


def run(**summary: object) -> Run:
    return cast("Run", cast("Any", Logging(**summary)))


class Recorded:
    """A recorder of a run with one variable, whose value is ``value``."""

    def __init__(self, folder: Path) -> None:
        self.value = 1.0
        self.trains = False
        self.read: list[Collection[ThreadPlace] | None] = []
        """Whose things were read."""
        self._capsule = Capsule(folder)
        self.recorder = TrailRecorder(self._capsule.trail)
        self.whole = WholeRun(self.recorder, lambda: self.trains)

    def state(self, registry: object, made_by: Collection[ThreadPlace] | None = None) -> WholeState:
        del registry
        self.read.append(made_by)
        array: Any = np.array([self.value], dtype="float32")
        return WholeState([Variable("trainable", "model 1: kernel", array)], [])

    def trail(self) -> Trail:
        return read_trail(self._capsule)

    def moments(self) -> list[tuple[str, int]]:
        return [(state.moment, state.row) for state in self.trail().of(State)]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    made = Recorded(tmp_path)
    monkeypatch.setattr(module, "read_whole_state", made.state)
    process.registry.clear()
    yield made
    process.registry.clear()


def test_state_is_digested_at_the_first_second_fourth_and_eighth_row(recorded: Recorded) -> None:
    for _ in range(10):
        recorded.whole.log({"loss": 0.5}, None, None)

    assert recorded.moments() == [("logged", row) for row in (1, 2, 4, 8)]
    assert sum(record.rows for record in recorded.trail().of(Logged)) == 8


def test_while_a_fit_runs_only_values_are_kept(recorded: Recorded) -> None:
    recorded.trains = True
    recorded.whole.log({"loss": 0.5}, None, None)
    recorded.trains = False
    recorded.whole.log({"test": 0.5}, None, None)

    assert recorded.moments() == [("logged", 2)]


def test_what_a_fit_does_not_train_is_digested_before_the_first_and_after_each(
    recorded: Recorded,
) -> None:
    recorded.whole.begin_training({"model 2"})
    recorded.whole.log({"loss": 0.5}, None, None)
    recorded.trains = True  # another fit is open
    recorded.whole.end_fit({"model 2"})
    recorded.trains = False
    recorded.whole.end_fit({"model 2"})

    states = [(state.moment, state.row, state.fits) for state in recorded.trail().of(State)]
    assert states == [("fit", 0, 0), ("logged", 1, 0), ("fit", 1, 2)]


def test_nothing_is_digested_twice_if_the_fit_trains_all_that_exists(recorded: Recorded) -> None:
    recorded.whole.begin_training({"model 1"})
    recorded.whole.end_fit({"model 1", "optimizer 1"})

    assert recorded.moments() == []


def test_after_a_fit_in_a_thread_only_rows_and_the_end_are_digested(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(process.registry.threads, "current", lambda: THREAD)
        recorded.whole.begin_fit()
        recorded.whole.begin_training({"model 2"})
    recorded.whole.end_fit({"model 2"})
    recorded.whole.log({"loss": 0.5}, None, None)
    recorded.whole.end(run())

    assert recorded.moments() == [("logged", 1), ("end", 1)]


@pytest.mark.parametrize(
    ("place", "made_by"),
    [(OWN, {OWN}), (THREAD, {OWN, THREAD}), (OTHER, {OWN})],
    ids=["own", "thread", "pool"],
)
def test_until_the_end_only_what_does_not_depend_on_a_race_is_read(
    recorded: Recorded,
    monkeypatch: pytest.MonkeyPatch,
    place: ThreadPlace,
    made_by: set[ThreadPlace],
) -> None:
    monkeypatch.setattr(process.registry.threads, "current", lambda: place)
    recorded.whole.log({"loss": 0.5}, None, None)
    recorded.whole.end(run())

    assert recorded.read == [made_by, None]


def test_the_end_has_the_last_rows_the_state_the_inventory_and_the_summary(
    recorded: Recorded,
) -> None:
    recorded.whole.log({"loss": 0.5}, None, False)
    process.registry.notes["a child process trained"] = None

    recorded.whole.end(run(best=0.25, _step=3, **{"repro/verdict": "x"}))

    kinds = [type(record) for record in recorded.trail().records][-4:]
    assert kinds == [Structure, State, Inventory, Summary]
    assert [record.rows for record in recorded.trail().of(Logged)] == [1]
    inventory = recorded.trail().inventory
    assert inventory is not None
    assert inventory.notes == ("a child process trained",)
    assert next(recorded.trail().of(Summary)).values == {"best": (0.25).hex()}


def test_other_values_have_another_digest(recorded: Recorded) -> None:
    recorded.whole.log({"loss": 0.5}, None, None)
    recorded.value = 2.0
    recorded.whole.end(run())

    first, last = recorded.trail().of(State)
    assert first.root != last.root


def test_a_summary_that_w_and_b_does_not_give_is_empty() -> None:
    class Without:
        summary = object()

    assert summary_of(cast("Run", cast("Any", Without()))).values == {}
