"""What a rerun's process does to W&B runs before it records one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from wandb_repro.recording.mode import Recording, Rerun
from wandb_repro.recording.process_state import ProcessState, process
from wandb_repro.recording.rerun_process import as_rerun, restore_early, skip_earlier


class Repeating:
    """A rerun of the third run of a sweep's agent."""

    earlier_runs = 2

    def __init__(self) -> None:
        self.restored: list[tuple[object, int]] = []

    def for_next_run(self, begun: int) -> Any:
        def restore_config(run: object) -> None:
            self.restored.append((run, begun))

        return SimpleNamespace(restore_config=restore_config)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> ProcessState:
    """The state of a process that recorded nothing yet; the real one is put back."""
    for name, value in vars(ProcessState(process.host)).items():
        monkeypatch.setattr(process, name, value)
    process.seeding = cast("Any", object())
    return process


def test_a_recording_passes_the_arguments_on_and_a_rerun_drops_the_id(state: ProcessState) -> None:
    given = {"id": "abc", "project": "p"}
    state.mode = Recording()
    assert as_rerun(given) == given
    state.mode = Rerun(cast("Any", None))
    assert as_rerun(given) == {"project": "p", "job_type": "rerun"}


def test_earlier_runs_of_the_agent_count_as_begun_and_their_seed_is_dropped(
    state: ProcessState,
) -> None:
    state.mode = cast("Any", Repeating())
    state.sessions["first"] = cast("Any", object())
    skip_earlier()
    assert (state.skipped, state.begun, state.seeding) == (1, 2, None)


def test_a_recording_skips_no_run_and_keeps_its_early_seed(state: ProcessState) -> None:
    state.mode = Recording()
    skip_earlier()
    assert (state.skipped, state.seeding is None) == (0, False)


def test_the_config_is_restored_by_the_mode_of_the_next_run(state: ProcessState) -> None:
    mode = Repeating()
    state.mode, state.skipped = cast("Any", mode), 2
    run = cast("Any", object())
    restore_early(run)
    assert mode.restored == [(run, 2)]
