"""What a process remembers of its runs, and how it forgets it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from wandb_repro.recording.process_state import FitCall, ProcessState, process
from wandb_repro.recording.trail_recorder import TrailRecorder


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


def test_a_reset_forgets_the_fits_that_are_open(tmp_path: Path) -> None:
    state, sink = state_in_use(), TrailRecorder(tmp_path / "trail.jsonl")
    state.open_fits[sink] = {1: FitCall(thread=7, frame_id=8)}
    state.reset()
    assert sink not in state.open_fits


def test_runs_that_a_rerun_skips_count_as_begun() -> None:
    assert state_in_use().begun == 3
