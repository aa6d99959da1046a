"""The server dies in the middle of a training, which neither notices nor loses anything."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.online.scripts import WAITING
from tests.support.machine import Done, Machine, Stored, a_project, ended, only_run
from tests.support.server import WandbServer, running_server
from wandb_repro.manifest.manifest import Ending
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail

pytestmark = pytest.mark.slow

REACHED_WITHIN_S = 90.0

# NOTE: by default wandb tries for hours to reach a server that is gone, when a run finishes.
# Source: wandb 0.31, ``x_file_stream_retry_max`` and the settings beside it.
IMPATIENT = {
    "WANDB__FILE_STREAM_RETRY_MAX": "1",
    "WANDB__FILE_STREAM_RETRY_WAIT_MAX_SECONDS": "1",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "1",
    "WANDB__FILE_TRANSFER_RETRY_WAIT_MAX_SECONDS": "1",
    "WANDB__GRAPHQL_RETRY_MAX": "1",
    "WANDB__GRAPHQL_RETRY_WAIT_MAX_SECONDS": "1",
}


@dataclass(frozen=True)
class Lost:
    """A training whose server died after its first epoch."""

    done: Done
    folder: Path
    """W&B's folder of the run."""

    @property
    def capsule(self) -> Capsule:
        """What is on this disk."""
        return Capsule(self.folder / "files" / "repro")


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Lost:
    """Train, and stop the server between the first epoch and the second."""
    folder = tmp_path_factory.mktemp("lost")
    server_folder = folder / "server"
    server_folder.mkdir()
    serving = running_server(server_folder)
    machine = Machine(next(serving), folder)
    project = a_project(folder / "project", WAITING, {"size.py": "UNITS = 4\n"})
    process = machine.start("train.py", cwd=project, MEET=str(folder), **IMPATIENT)
    deadline = time.monotonic() + REACHED_WITHIN_S
    while not (folder / "reached").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    serving.close()  # what the fixture does at its end: it stops the server that it started
    (folder / "go").touch()
    return Lost(ended(process), only_run(project))


def test_training_goes_on_to_its_end(lost: Lost) -> None:
    assert lost.done.code == 0, lost.done.said
    assert "Traceback" not in lost.done.said
    assert lost.done.elapsed_s < 90


def test_what_is_on_this_disk_is_whole(lost: Lost) -> None:
    assert read_manifest(lost.capsule).ending == Ending(status="finished")
    trail = read_trail(lost.capsule)
    assert trail.end is not None
    assert [one.epoch for one in trail.weights if one.moment == "epoch"] == [1, 2]


def test_it_can_be_synced_to_another_server(
    lost: Lost, wandb_server: WandbServer, tmp_path: Path
) -> None:
    machine = Machine(wandb_server, tmp_path)
    sent = machine.run("-m", "wandb", "sync", "--include-online", str(lost.folder))
    assert sent.code == 0, sent.said
    stored = Stored(wandb_server, f"default/online/{lost.folder.name.rpartition('-')[2]}")
    for path in (path for path in lost.capsule.folder.rglob("*") if path.is_file()):
        name = path.relative_to(lost.capsule.folder.parent).as_posix()
        assert stored.file(name).read_bytes() == path.read_bytes(), name
    assert stored.summary["repro/manifest"] == read_manifest(lost.capsule).sealed().digest
    done = machine.repro("show", stored.path, "--json")
    assert done.data["manifest"]["ending"]["status"] == "finished", done.said
