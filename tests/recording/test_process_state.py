"""What a process remembers of its runs, and how it forgets it."""

from __future__ import annotations

from typing import Any, cast

from wandb_repro.recording.process_state import ProcessState, process


def state_in_use() -> ProcessState:
    state = ProcessState(process.host)
    state.said.add("a warning")
    state.sessions["abc"] = cast("Any", object())
    state.skipped = 2
    state.starting = True
    return state


def test_a_reset_leaves_a_new_process_on_the_same_host() -> None:
    state = state_in_use()
    state.reset()
    assert state == ProcessState(process.host)


def test_a_reset_process_shares_nothing_with_another_state() -> None:
    one, two = ProcessState(process.host), ProcessState(process.host)
    one.reset()
    one.said.add("only here")
    assert two.said == set()


def test_runs_that_a_rerun_skips_count_as_begun() -> None:
    assert state_in_use().begun == 3
