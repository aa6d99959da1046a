"""Data in a version of an artifact: logged by W&B's SDK, downloaded and compared at a rerun.

The SDK is W&B's own, against the test server; what it says of artifacts is the bridge's.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.machine import Done, Machine, Stored, a_project, only_run
from tests.support.recorded import NUMBERS
from tests.support.server import WandbServer
from wandb_repro.manifest.base import Unavailable

LOG = """
import pathlib, sys, wandb
folder = pathlib.Path("made")
(folder / "sub").mkdir(parents=True, exist_ok=True)
(folder / "sub" / "more ü.csv").write_text("2.5")
with wandb.init(project="numbers") as run:
    for text in sys.argv[2:]:
        (folder / "train.csv").write_text(text)
        artifact = wandb.Artifact(sys.argv[1], type="dataset")
        artifact.add_dir(str(folder))
        print(run.log_artifact(artifact).wait(timeout=60).version)
"""
"""Logs a folder once for each text, which stands in one of its files."""

READ = """
import json, pathlib, sys, wandb
api = wandb.Api()

def texts(name):
    folder = pathlib.Path(api.artifact(f"default/numbers/{name}").download(root=name))
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}

print(json.dumps([texts(name) for name in sys.argv[1:]]))
"""

DELETE = """
import sys, wandb
wandb.Api().artifact(sys.argv[1]).delete(delete_aliases=True)
"""

OWN = """
Path("made").mkdir(exist_ok=True)
Path("made", "train.csv").write_text("1.5")
artifact = wandb.Artifact("own", type="dataset")
artifact.add_dir("made")
artifact = run.log_artifact(artifact).wait(timeout=60)
folder = artifact.download()
wandb_repro.fingerprint("train", path=folder, artifact=artifact)
sys.argv.append(f"{folder}/train.csv")
"""
"""Logs its data itself, and trains on what it then downloads to W&B's own folder."""

BESIDE = """
folder = Path("../numbers")
artifact = run.use_artifact("numbers:latest")
if not folder.exists():
    artifact.download(str(folder))
wandb_repro.fingerprint("train", path=folder, artifact=artifact)
"""


def training(uses: str) -> str:
    """Return a training that gets its data in a way of its own; it opens them as arguments."""
    imported = NUMBERS.replace("import wandb_repro\n", "import wandb\n\nimport wandb_repro\n", 1)
    return imported.replace("session = find_session", f"{uses}\nsession = find_session")


def log(machine: Machine, name: str, *texts: str) -> list[str]:
    """Log a folder with each text in one of its files; return the versions that it became."""
    done = machine.run("-c", LOG, name, *texts)
    assert done.code == 0, done.said
    return done.out.split()


def recorded(machine: Machine, script: str, *arguments: str) -> tuple[Path, Stored]:
    """Record a training online; return its project and the run."""
    project = a_project(machine.folder / "project", script, {"network.py": "SIZE = 4\n"})
    done = machine.run("train.py", *arguments, cwd=project)
    assert done.code == 0, done.said
    run_id = only_run(project).name.rpartition("-")[2]
    return project, Stored(machine.server, f"default/numbers/{run_id}")


def rerun(machine: Machine, stored: Stored) -> Done:
    return machine.repro("rerun", stored.path, "--env", "here", "--yes", "--json")


@dataclass(frozen=True)
class Trained:
    """A run that was trained on the first of two versions, and whose data are gone here."""

    stored: Stored
    data: Path
    """Where they were."""

    @property
    def held(self) -> Path:
        """The file that it read, where the server keeps it."""
        versions = self.stored.server.data_dir / "artifacts" / "default" / "numbers"
        return versions / self.data.name / "v0" / "files" / "train.csv"


def trained(machine: Machine, name: str) -> Trained:
    """Train on the first version of an artifact, log a second, and take all away."""
    assert log(machine, name, "1.5") == ["v0"]
    script = training(BESIDE.replace("numbers", name))
    project, stored = recorded(machine, script, f"../{name}/train.csv")
    assert log(machine, name, "9.5") == ["v1"]
    project.rename(machine.folder / "elsewhere")
    shutil.rmtree(machine.folder / name)
    return Trained(stored, machine.folder / name)


@pytest.fixture(scope="module")
def beside(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Record a training on data that were downloaded to a folder beside its project."""
    return trained(Machine(wandb_server, tmp_path_factory.mktemp("artifacts")), "beside")


def test_the_server_gives_the_bytes_of_each_version(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    machine = Machine(wandb_server, tmp_path / "logs")
    assert log(machine, "plain", "1.5", "9.5", "9.5") == ["v0", "v1", "v1"]
    reader = Machine(wandb_server, tmp_path / "reads")  # one that has nothing in its cache
    done = reader.run("-c", READ, "plain:v0", "plain:v1", "plain:latest")
    assert done.code == 0, done.said
    one, two, latest = done.data
    assert one == {"train.csv": "1.5", "sub/more ü.csv": "2.5"}
    assert two == latest == {**one, "train.csv": "9.5"}


@pytest.mark.slow
def test_the_version_is_recorded_that_an_alias_meant(beside: Trained) -> None:
    assert version_in(beside.stored) == "default/numbers/beside:v0"


@pytest.mark.slow
def test_a_rerun_trains_on_the_version_that_was_recorded(beside: Trained, clean: Machine) -> None:
    done = rerun(clean, beside.stored)
    assert done.code == 0, done.said
    assert done.data["grade"] == "identical"
    assert "Downloading default/numbers/beside:v0" in done.said
    (work,) = clean.work.glob("wandb/rerun-*")
    (place,) = work.glob("tree/**/beside")
    assert place.is_symlink()
    assert (place / "train.csv").read_text() == "1.5"
    assert not beside.data.exists()


@pytest.mark.slow
def test_a_version_whose_bytes_are_others_now_is_not_trained_on(
    beside: Trained, clean: Machine
) -> None:
    beside.held.write_text("9.9")
    try:
        done = rerun(clean, beside.stored)
    finally:
        beside.held.write_text("1.5")
    why = "as W&B has them now in default/numbers/beside:v0."
    assert refused(done, clean, code=3) == (
        f"The original used files that are not the same here: {beside.data} (data 'train'), {why}"
    )


@pytest.mark.slow
def test_a_version_whose_bytes_are_gone_is_told(beside: Trained, clean: Machine) -> None:
    hidden = beside.held.rename(beside.held.with_suffix(".hidden"))
    try:
        done = rerun(clean, beside.stored)
    finally:
        hidden.rename(beside.held)
    assert refused(done, clean, code=4).startswith(
        f"The original used files that are not here: {beside.data} (data 'train'), and "
        f"default/numbers/beside:v0 cannot be downloaded: W&B at {clean.server.base_url} did not "
        "answer: 404 "
    )


@pytest.mark.slow
def test_a_version_that_was_deleted_is_told(
    wandb_server: WandbServer, tmp_path: Path, clean: Machine
) -> None:
    machine = Machine(wandb_server, tmp_path / "recorder")
    deleted = trained(machine, "deleted")
    version = "default/numbers/deleted:v0"
    done = machine.run("-c", DELETE, version)
    assert done.code == 0, done.said
    assert refused(rerun(clean, deleted.stored), clean, code=4) == (
        f"The original used files that are not here: {deleted.data} (data 'train'), and {version} "
        f"cannot be downloaded: W&B at {wandb_server.base_url} has no {version}."
    )


@pytest.mark.slow
def test_a_script_that_logs_its_data_gets_them_back_where_logging_is_held_back(
    wandb_server: WandbServer, tmp_path: Path, clean: Machine
) -> None:
    machine = Machine(wandb_server, tmp_path / "recorder")
    project, stored = recorded(machine, training(OWN))
    project.rename(machine.folder / "elsewhere")
    assert version_in(stored) == "default/numbers/own:v0"
    done = rerun(clean, stored)
    assert done.code == 0, done.said
    assert done.data["grade"] == "identical"
    assert "run.log_artifact is held back" in done.said


def version_in(stored: Stored) -> str:
    """Return the version of an artifact that the record of a run's only data names."""
    data = stored.manifest.description.data
    assert not isinstance(data, Unavailable)
    (part,) = data
    assert part.files is not None
    return part.files.artifact


def refused(done: Done, machine: Machine, *, code: int) -> str:
    """Check that a rerun did not train, and left nothing; return the sentence that says why."""
    assert done.code == code, done.said
    assert "of numbers" not in done.said
    assert not list(machine.work.glob("wandb/rerun-*"))
    return str(done.data["error"])
