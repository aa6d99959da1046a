"""Which seeding a run gets that begins beside, after or before others."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from wandb_repro.manifest.request import Options
from wandb_repro.recording.mode import Recording
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seed_process import seed_early, seed_process
from wandb_repro.recording.seeding import Seeding


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """A process without runs whose generators are left alone; return the seeds it would get."""
    applied: list[int | None] = []
    monkeypatch.setattr(process, "sessions", {})
    monkeypatch.setattr(process, "said", set[str]())
    monkeypatch.setattr(process, "seeding", None)
    monkeypatch.setattr(process, "mode", Recording())

    def apply(seeding: Seeding) -> None:
        applied.append(seeding.seed)

    monkeypatch.setattr(Seeding, "apply", apply)
    return applied


def run_that_uses(seeding: Seeding, *, ended: bool) -> None:
    session = SimpleNamespace(seeding=seeding, ended=ended)
    process.sessions[str(len(process.sessions))] = cast("Any", session)


def test_an_open_runs_seed_stays_and_another_wish_is_warned_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = seed_process(Options(seed=1))
    run_that_uses(first, ended=False)
    assert seed_process(Options(seed=2)) is first
    assert "seed=2 is ignored: this process was already seeded with 1" in capsys.readouterr().err


def test_a_run_after_one_that_ended_is_seeded_anew(new_process: list[int | None]) -> None:
    run_that_uses(seed_process(Options(seed=1)), ended=True)
    seed_process(Options(seed=1))
    assert new_process == [1, 1]


def test_a_seed_that_was_set_early_is_taken_over(new_process: list[int | None]) -> None:
    seed_early(Options(seed=1))
    assert seed_process(Options(seed=1)) is process.seeding
    assert new_process == [1]


def test_a_seed_that_was_set_early_gives_way_to_another_wish(
    new_process: list[int | None],
) -> None:
    seed_early(Options(seed=1))
    seed_process(Options(seed=2))
    assert new_process == [1, 2]


def test_a_disabled_run_is_seeded_early_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, new_process: list[int | None]
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    seed_early(Options())
    assert new_process == []
    seed_early(Options(seed=3))
    assert new_process == [3]


def test_a_seed_that_was_replaced_before_any_run_is_known() -> None:
    seed_early(Options(seed=1))

    assert seed_process(Options(seed=2)).replaced == 1


def test_the_seed_of_a_run_that_ended_was_not_replaced() -> None:
    run_that_uses(seed_process(Options(seed=1)), ended=True)

    assert seed_process(Options(seed=2)).replaced is None
