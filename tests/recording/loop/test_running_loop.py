from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.loop.running_loop import NOTHING, NothingWatchedError, RunningLoop
from wandb_repro.state.watched import Watched


def loop(*models: object, late: bool = False) -> RunningLoop:
    return RunningLoop(Watched(models), late=late)


def test_batches_are_shown_up_to_the_number_asked_for_and_counted_since_the_step() -> None:
    it, seen = loop({"w": np.ones(1)}), list[tuple[int, Any]]()
    assert it.watch(lambda number, arrays: seen.append((number, arrays)), at_most=2) is None
    for value in range(3):
        it.show([np.full(1, value)])
    assert [number for number, _ in seen] == [0, 1]
    assert (it.batches_in(1), it.batches_in(1)) == (3, 0)
    it.epoch_ended()
    it.show(np.ones(1))
    assert [number for number, _ in seen] == [0, 1, 0]


def test_a_batch_that_cannot_be_read_is_a_reason() -> None:
    it, seen = loop(), list[Any]()
    it.watch(lambda _, arrays: seen.append(arrays))
    it.show(object())
    assert isinstance(seen[0], Unavailable)


def test_without_batches_the_reason_is_recorded() -> None:
    it = loop({"w": np.ones(1)}, late=True)
    assert isinstance(it.watch(lambda _, __: None), Unavailable)
    assert "the first step ran before" in it.missing_initial()
    assert "the state comes with" in loop().missing_initial()
    assert loop({"w": np.ones(1)}).missing_initial() == ""


def test_what_is_watched_comes_before_the_state_of_the_step() -> None:
    it = loop({"w": np.zeros(1)})
    it.step_done([np.ones(1)])
    it.step_done(None)
    assert [np.asarray(each.value).tolist() for each in it.read(anew=True)] == [[0.0], [1.0]]
    assert it.steps_per_epoch == 2


def test_nothing_at_all_cannot_be_read() -> None:
    with pytest.raises(NothingWatchedError, match="nothing is watched") as raised:
        loop().read(anew=True)
    assert str(raised.value) == NOTHING
