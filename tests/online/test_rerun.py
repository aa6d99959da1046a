"""A clean machine, with an empty folder, reruns what only the server holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.online.conftest import Original
from tests.online.scripts import TRAIN
from tests.support.machine import Done, Machine, Stored, a_project, only_run
from tests.support.server import WandbServer
from wandb_repro.manifest.code import Code
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

NAMED = """
import wandb
run = wandb.init(project="named", id="named-by-script", resume="allow", config={"a": 1})
run.log({"rows": 1})
run.finish()
"""


@pytest.fixture(scope="module")
def rerun(original: Original, tmp_path_factory: pytest.TempPathFactory) -> tuple[Done, Stored]:
    """Rerun the original on a clean machine by its path; give what was said and the new run."""
    server = original.stored.server
    machine = Machine(server, tmp_path_factory.mktemp("clean"))
    arguments = ("--env", "here", "--yes", "--json")
    done = machine.repro("rerun", original.stored.path, *arguments)
    assert done.code == 0, done.said
    return done, Stored(server, done.data["rerun"])


def test_it_is_identical_bit_for_bit(original: Original, rerun: tuple[Done, Stored]) -> None:
    verdict = rerun[0].data
    assert (verdict["grade"], verdict["original"]) == ("identical", original.stored.path)
    assert not original.project.exists()
    assert verdict["final_weights"] == original.stored.summary["repro/weights"]


def test_it_is_a_run_of_its_own_that_names_the_original(
    original: Original, rerun: tuple[Done, Stored]
) -> None:
    stored = rerun[1]
    assert stored.id != original.stored.id
    assert stored.row["state"] == "finished"
    assert stored.config["repro"]["rerun_of"] == original.stored.path
    assert {**stored.config, "repro": 0} == {**original.stored.config, "repro": 0}


def test_its_job_type_says_so(rerun: tuple[Done, Stored]) -> None:
    # NOTE: openwandb takes the job type and keeps none, so it is read where the SDK told it.
    assert rerun[1].manifest.run.job_type == "rerun"


def test_its_summary_holds_the_verdict(original: Original, rerun: tuple[Done, Stored]) -> None:
    assert rerun[1].summary["repro/verdict"] == "identical"
    assert rerun[1].summary["repro/weights"] == original.stored.summary["repro/weights"]


def test_it_logs_the_same_history_up_to_where_it_ends(
    original: Original, rerun: tuple[Done, Stored]
) -> None:
    rows = rerun[1].history
    assert rows
    assert rows == original.stored.history[: len(rows)]


def test_the_original_stays_as_it_was(original: Original, rerun: tuple[Done, Stored]) -> None:
    assert rerun[1].manifest.run.rerun_of == original.stored.path
    assert "repro/verdict" not in original.stored.summary
    assert original.stored.manifest.sealed().digest == original.stored.summary["repro/manifest"]


@pytest.mark.parametrize("address", ["{server}/default/online/runs/{id}", "online/{id}"])
def test_the_page_and_the_short_path_lead_to_the_same_plan(
    original: Original, clean: Machine, address: str
) -> None:
    run = address.format(server=original.stored.server.base_url, id=original.stored.id)
    done = clean.repro("rerun", run, "--env", "here", "--dry-run", "--json")
    assert done.code == 0, done.said
    assert done.data["run"] == original.stored.path
    assert done.data["tree"].startswith(original.stored.config["repro"]["tree"])
    assert list(clean.work.iterdir()) == []


@dataclass(frozen=True)
class Synced:
    """A run that was recorded offline and is on the server now."""

    stored: Stored
    inspected: Any
    """What ``wandb leet inspect`` told of its folder before."""


@pytest.fixture(scope="module")
def synced(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """Record offline, move the run's folder elsewhere, and ``wandb sync`` it from there."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("offline"))
    project = a_project(machine.folder / "project", TRAIN, {"size.py": "UNITS = 3\n"})
    done = machine.run("train.py", cwd=project, WANDB_MODE="offline")
    assert done.code == 0, done.err
    folder = only_run(project).rename(machine.work / only_run(project).name)
    project.rename(machine.folder / "elsewhere")
    inspected = machine.run("-m", "wandb", "leet", "inspect", "--json", "--summary", str(folder))
    assert inspected.code == 0, inspected.said
    sent = machine.run("-m", "wandb", "sync", str(folder))
    assert sent.code == 0, sent.said
    stored = Stored(wandb_server, f"default/online/{folder.name.rpartition('-')[2]}")
    return Synced(stored, inspected.data)


@pytest.mark.slow
def test_wandb_itself_reads_an_offline_run_of_ours(synced: Synced) -> None:
    told = json.dumps(synced.inspected)
    assert synced.stored.id in told
    assert synced.stored.summary["repro/weights"] in told
    assert synced.stored.manifest.sealed().digest in told


@pytest.mark.slow
def test_a_synced_run_is_whole_on_the_server(synced: Synced) -> None:
    manifest = synced.stored.manifest
    assert manifest.run.offline
    assert manifest.sealed().digest == synced.stored.summary["repro/manifest"]
    columns = synced.stored.config["repro"]
    assert isinstance(manifest.execution.code, Code)
    assert manifest.execution.code.tree.startswith(columns["tree"])
    assert columns["seed"] == manifest.execution.seed
    assert "manifest" not in columns  # no two runs share it: it is no column


@pytest.mark.slow
def test_a_synced_run_is_rerun_online_from_the_server(synced: Synced, clean: Machine) -> None:
    # WANDB_MODE is not set: a run that is on the server has a rerun that is there.
    arguments = ("--env", "here", "--yes", "--json")
    done = clean.repro("rerun", synced.stored.path, *arguments, WANDB_MODE="")
    assert done.code == 0, done.said
    assert done.data["grade"] == "identical"
    again = Stored(synced.stored.server, done.data["rerun"])
    assert again.summary["repro/verdict"] == "identical"
    assert again.config["repro"]["rerun_of"] == synced.stored.path


@pytest.mark.slow
def test_a_rerun_never_writes_into_the_run_that_its_script_names(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    recorder = Machine(wandb_server, tmp_path / "recorder")
    project = a_project(recorder.folder / "project", NAMED, {})
    done = recorder.repro("run", "--", "train.py", cwd=project)
    assert done.code == 0, done.said
    named = Stored(wandb_server, "default/named/named-by-script")
    before = {path: path.read_bytes() for path in named.file("repro").rglob("*.*")}
    clean = Machine(wandb_server, tmp_path / "clean")
    done = clean.repro("rerun", named.path, "--env", "here", "--yes")
    assert done.code == 3, done.said  # nothing was trained, so nothing can be told
    assert before == {path: path.read_bytes() for path in named.file("repro").rglob("*.*")}
    (work,) = (clean.work / "wandb").glob("rerun-*")
    again = read_manifest(Capsule(only_run(work) / "files" / "repro")).run
    assert (again.job_type, again.rerun_of) == ("rerun", named.path)
    assert again.id != named.id
    assert Stored(wandb_server, f"default/named/{again.id}").config["a"] == 1
