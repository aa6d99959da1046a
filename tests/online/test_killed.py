"""A process is killed while it trains: what it recorded so far is on the server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.online.scripts import WAITING
from tests.support.machine import Machine, Stored, a_project, ended, only_run
from tests.support.server import WandbServer
from wandb_repro.manifest.base import Unavailable
from wandb_repro.store.folder import read_manifest, read_trail

pytestmark = pytest.mark.slow

WITHIN_S = 90.0


@pytest.fixture(scope="module")
def killed(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Train, and kill the process between the first epoch and the second."""
    folder = tmp_path_factory.mktemp("killed")
    machine = Machine(wandb_server, folder)
    project = a_project(folder / "project", WAITING, {"size.py": "UNITS = 4\n"})
    process = machine.start("train.py", cwd=project, MEET=str(folder))
    _await(folder / "reached")
    process.kill()
    assert ended(process).code == -9
    return Stored(wandb_server, f"default/online/{only_run(project).name.rpartition('-')[2]}")


def _await(path: Path) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path.name} within {WITHIN_S:.0f} s"
        time.sleep(0.1)


def test_the_trail_is_there_up_to_the_last_epoch(killed: Stored) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not read_trail(killed.capsule).weights[1:]:
        assert time.monotonic() < deadline, "W&B took no trail after the process was killed"
        time.sleep(0.5)
    trail = read_trail(killed.capsule)
    assert [one.epoch for one in trail.weights if one.moment == "epoch"] == [1]
    assert trail.end is None


def test_the_record_is_there_and_says_that_no_end_is_known(killed: Stored) -> None:
    manifest = read_manifest(killed.capsule)
    assert isinstance(manifest.ending, Unavailable)
    assert killed.summary["repro/environment"]


def test_what_stands_for_the_card_says_so(killed: Stored) -> None:
    assert "was killed" in killed.capsule.report.read_text()
