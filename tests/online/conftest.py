"""What the tests of this folder share: recording costs seconds, so it is done once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.online.scripts import TRAIN
from tests.support.machine import Machine, Stored, a_project, only_run
from tests.support.server import WandbServer

__all__ = ["Original"]


@dataclass(frozen=True)
class Original:
    """A run that was recorded online, and is on the server alone: its project is gone."""

    stored: Stored
    said: str
    """What its process wrote."""
    project: Path
    """Where its project was; nothing is there now."""


@pytest.fixture(scope="session")
def original(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Original:
    """Record a training online, and move its project, W&B's folder included, away."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("recorder"))
    project = a_project(machine.folder / "project", TRAIN, {"size.py": "UNITS = 4\n"})
    done = machine.run("train.py", cwd=project)
    assert done.code == 0, done.err
    run_id = only_run(project).name.rpartition("-")[2]
    project.rename(machine.folder / "elsewhere")
    return Original(Stored(wandb_server, f"default/online/{run_id}"), done.said, project)


@pytest.fixture
def clean(wandb_server: WandbServer, tmp_path: Path) -> Machine:
    """Give a machine that has seen nothing: an empty folder, a home of its own."""
    return Machine(wandb_server, tmp_path / "clean")
