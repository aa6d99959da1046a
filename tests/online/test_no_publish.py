"""A rerun publishes nothing but itself, and the script that publishes does not notice.

What the downloads of artifacts give is in ``test_artifacts``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.online.scripts import OUTPUTS
from tests.support.machine import Machine, Stored, a_project, only_run
from tests.support.server import WandbServer

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Published:
    """A run and what its script noted."""

    stored: Stored
    told: dict[str, str]
    record: bytes
    """Everything that W&B's SDK was told to send."""
    said: str

    @property
    def artifacts(self) -> list[str]:
        """Names of the artifacts on the server that the script made."""
        return [name for _, name in self.stored.artifacts if "wandb-history" not in name]


def _published(server: WandbServer, run: Path, said: str) -> Published:
    told: dict[str, str] = json.loads((run / "told.json").read_text())
    (record,) = run.glob("run-*.wandb")
    stored = Stored(server, f"default/outputs/{run.name.rpartition('-')[2]}")
    return Published(stored, told, record.read_bytes(), said)


@pytest.fixture(scope="module")
def original(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Record the script online."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("outputs"))
    project = a_project(machine.folder / "project", OUTPUTS, {})
    done = machine.run("train.py", cwd=project)
    assert done.code == 0, done.err
    return _published(wandb_server, only_run(project), done.said)


def _rerun(original: Published, folder: Path, *options: str) -> Published:
    machine = Machine(original.stored.server, folder)
    page = f"{original.stored.server.base_url}/default/outputs/runs/{original.stored.id}"
    done = machine.repro("rerun", page, "--env", "here", "--yes", *options)
    assert done.code == 0, done.said
    (work,) = (machine.work / "wandb").glob("rerun-*")
    return _published(original.stored.server, only_run(work), done.said)


@pytest.fixture(scope="module")
def held(original: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Rerun it as a rerun is by default."""
    return _rerun(original, tmp_path_factory.mktemp("held"))


@pytest.fixture(scope="module")
def allowed(original: Published, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """Rerun it with ``--allow-outputs``."""
    return _rerun(original, tmp_path_factory.mktemp("allowed"), "--allow-outputs")


def test_the_original_publishes(original: Published) -> None:
    published = {"mine", "returned", "path", "saved", "linked", "logged-model"}
    checkpoint = f"run_{original.stored.id}_model"
    assert {*published, checkpoint} <= set(original.artifacts)
    assert original.record.count(b"Planted title") == 2


def test_a_rerun_publishes_no_artifact_and_no_alert(held: Published) -> None:
    assert held.artifacts == []
    assert b"Planted title" not in held.record


def test_a_rerun_says_once_what_it_held_back(held: Published) -> None:
    for what in ("run.log_artifact", "run.log_model", "run.link_model", "run.alert"):
        assert held.said.count(f"{what} is held back in a rerun") == 1, what
    assert "--allow-outputs" in held.said


def test_a_script_can_use_what_it_gets_for_a_held_back_artifact(held: Published) -> None:
    assert held.told == {
        "mine": "['v0', 'mine:v0', ['best', 'better'], 'default/outputs/mine:v0', 4, 1]",
        "linked": "'linked:v0'",
        "returned": "'v0'",
        "path": "'path:v0'",
        "saved": "None",
        "link_artifact": "'moved:v0'",
        "log_code": "'v0'",
        "upsert": "'v0'",
        "finish": "'v0'",
        "used": "'v0'",
        "log_model": "None",
        "link_model": "'linked-model:v0'",
        "alert": "None",
        "module's alert": "None",
    }


@pytest.mark.slow
def test_outputs_go_through_when_they_are_allowed(original: Published, allowed: Published) -> None:
    assert "held back" not in allowed.said
    renamed = [name.replace(original.stored.id, allowed.stored.id) for name in original.artifacts]
    assert sorted(allowed.artifacts) == sorted(renamed)
    assert allowed.record.count(b"Planted title") == 2
    assert set(allowed.told) == set(original.told)
