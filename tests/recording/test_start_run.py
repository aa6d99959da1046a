"""A run is started and recorded, with a snapshot that was taken before or one of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.training import Young, finished
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.request import CHILDREN_VARIABLE, Options
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.process_state import process
from wandb_repro.recording.start_run import end_own_run, recorded, start_in_child, started


def test_the_source_tree_is_the_one_that_was_read_before(offline: Young) -> None:
    options = Options(seed=5)
    ahead = EarlySnapshot(process.host, options)
    assert ahead._work.result(60)  # pyright: ignore[reportPrivateUsage] - it has been taken
    (offline.project / "later.py").touch()
    run = started(options, {"project": "p"}, ahead)
    assert not process.starting
    code = finished(run).manifest.execution.code
    assert isinstance(code, Code)
    assert code.files == 1


def test_without_one_the_source_tree_is_read_now(offline: Young) -> None:
    (offline.project / "later.py").touch()
    run = started(Options(seed=5), {"project": "p"})
    code = finished(run).manifest.execution.code
    assert isinstance(code, Code)
    assert code.files == 2


def test_a_run_that_cannot_be_recorded_patches_nothing(offline: Young) -> None:
    import wandb

    run = wandb.init(mode="disabled")
    assert recorded(run, Options()) is run
    assert not process.records_every_fit


def test_the_run_that_was_started_for_a_script_ends_before_the_scripts_own(
    offline: Young,
) -> None:
    import wandb

    import wandb_repro

    process.own_run = wandb.init(project="ours")
    run = wandb_repro.init(project="mine", code="off")
    assert run.project == "mine"
    assert process.own_run is None
    end_own_run()
    assert wandb.run is run


def test_a_run_is_started_for_a_loop_in_a_child_process_and_its_seeds_are_left_alone(
    offline: Young, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import random

    import wandb

    start_in_child()
    assert wandb.run is None  # no recorded process started this one
    given = {"pid": 1, "file": str(tmp_path / "training")}
    monkeypatch.setenv(CHILDREN_VARIABLE, json.dumps(given))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    start_in_child()
    assert wandb.run is None
    monkeypatch.setenv("WANDB_MODE", "offline")
    before = random.getstate()
    start_in_child()
    run = wandb.run
    assert run is not None
    assert random.getstate() == before
    start_in_child()
    assert wandb.run is run
    assert "script" in str(finished(run).manifest.execution.seed)
