"""``WANDB_MODE=disabled``: a script runs as if we were not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.online.scripts import TRAIN
from tests.support.machine import Done, Machine, a_project
from tests.support.server import WandbServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def disabled(
    wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Done, Path]:
    """Run the script with W&B switched off."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("disabled"))
    project = a_project(machine.folder / "project", TRAIN, {"size.py": "UNITS = 4\n"})
    done = machine.run("train.py", cwd=project, WANDB_MODE="disabled", TMPDIR=str(machine.work))
    return done, project


def test_it_trains_to_its_end_and_we_say_nothing(disabled: tuple[Done, Path]) -> None:
    done, _ = disabled
    assert done.code == 0, done.said
    assert "wandb_repro:" not in done.said


def test_it_leaves_nothing_of_ours_behind(disabled: tuple[Done, Path]) -> None:
    _, project = disabled
    assert not (project / "wandb").exists()
    left = [path.name for path in (project.parent / "work").rglob("*")]
    assert not [name for name in left if name in ("manifest.json", "trail.jsonl", "code.bundle")]
