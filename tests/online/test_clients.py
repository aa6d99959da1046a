"""W&B's own clients read and restore what we write, as they do any other run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.online.conftest import Original
from tests.online.scripts import TRAIN
from tests.support.machine import Done, Machine, Stored, a_project, only_run
from tests.support.server import REPOSITORY, WandbServer

pytestmark = pytest.mark.slow


SAID = REPOSITORY / "ci-output" / "clients"
"""Where is kept what each client printed."""


def _wandb(machine: Machine, *words: str, cwd: Path | None = None) -> Done:
    done = machine.run("-m", "wandb", *words, cwd=cwd, WANDB_SILENT="")
    SAID.mkdir(parents=True, exist_ok=True)
    told = f"$ wandb {' '.join(words)}\n{done.out}{done.err}(exit code {done.code})\n"
    (SAID / f"{words[0]}.txt").write_text(told, encoding="utf-8")
    return done


@pytest.fixture(scope="module")
def offline(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a training offline; give its run's folder."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("offline"))
    project = a_project(machine.folder / "project", TRAIN, {"size.py": "UNITS = 4\n"})
    done = machine.run("train.py", cwd=project, WANDB_MODE="offline")
    assert done.code == 0, done.err
    return only_run(project)


def test_leet_shows_config_and_summary_of_an_offline_run(offline: Path, clean: Machine) -> None:
    done = _wandb(clean, "leet", "inspect", "--json", "--summary", str(offline))

    assert done.code == 0, done.said
    told = json.dumps(done.data)
    assert "2147483655" in told
    assert "repro/environment" in told
    assert "epoch/loss" in told


def test_sync_sends_an_offline_run_whole(
    offline: Path, clean: Machine, wandb_server: WandbServer
) -> None:
    done = _wandb(clean, "sync", str(offline))

    assert done.code == 0, done.said
    stored = Stored(wandb_server, f"default/online/{offline.name.rpartition('-')[2]}")
    assert stored.config["repro"]["seed"] == "2147483655"
    assert "Keras 3." in stored.summary["repro/environment"]
    local = offline / "files" / "repro"
    for path in (path for path in local.rglob("*") if path.is_file()):
        name = path.relative_to(local).as_posix()
        assert stored.file(f"repro/{name}").read_bytes() == path.read_bytes(), name
    assert [row["mine"] for row in stored.history if "mine" in row] == [0.5, 1.5, 2.5]
    shown = clean.repro("show", stored.path)
    assert shown.code == 0, shown.said
    assert "can be rerun" in shown.said


def test_pull_brings_every_file_of_a_run(original: Original, clean: Machine) -> None:
    done = _wandb(clean, "pull", "-p", "online", "-e", "default", original.stored.id)

    assert done.code == 0, done.said
    for name in ("repro/manifest.json", "repro/code.bundle", "repro/trail.jsonl"):
        (found,) = clean.work.rglob(name)
        assert found.read_bytes() == original.stored.file(name).read_bytes()


def test_restore_restores_as_much_as_it_does_without_us(original: Original, clean: Machine) -> None:
    project = a_project(clean.folder / "project", TRAIN, {})
    (project / "wandb").mkdir()
    done = _wandb(clean, "restore", original.stored.path, "--no-git", cwd=project)

    assert done.code == 0, done.said
    restored = (project / "wandb" / "config.yaml").read_text()
    assert "repro:" in restored
    assert "lr:" in restored


LOGS = """
import wandb
IMPORT
run = INIT(project="restored")
SIZE = 4
run.log({"loss": 1.0})
run.finish()
"""


@pytest.mark.parametrize("way", ["without us", "with us"])
def test_restore_checks_out_the_commit_and_applies_the_edit(
    way: str, wandb_server: WandbServer, tmp_path: Path
) -> None:
    ours = way == "with us"
    script = LOGS.replace("IMPORT", "import wandb_repro" if ours else "")
    script = script.replace("INIT", "wandb_repro.init" if ours else "wandb.init")
    machine = Machine(wandb_server, tmp_path)
    project = a_project(tmp_path / "project", script, {})
    edited = (project / "train.py").read_text().replace("SIZE = 4", "SIZE = 5")
    (project / "train.py").write_text(edited)
    assert machine.run("train.py", cwd=project, WANDB_SAVE_CODE="true").code == 0
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(project), str(clone)], check=True, timeout=60)
    (clone / "wandb").mkdir()  # without it, restoring fails: FileNotFoundError

    run = only_run(project).name.rpartition("-")[2]
    done = _wandb(machine, "restore", f"default/restored/{run}", cwd=clone)

    assert done.code == 0, done.said
    assert (clone / "train.py").read_text() == edited
    branch = subprocess.run(
        ["git", "branch", "--show-current"], cwd=clone, check=True, capture_output=True, timeout=60
    )
    assert branch.stdout.decode().strip() == f"wandb/{run}"
