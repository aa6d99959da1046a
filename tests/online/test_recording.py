"""A training recorded online is whole on the server, and its own history is as without us."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.online.conftest import Original
from tests.online.scripts import PLAIN
from tests.support.machine import Machine, Stored, a_project, only_run
from tests.support.server import WandbServer
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.manifest import Ending
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.store.local import read_trail


@pytest.fixture(scope="module")
def plain(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Run the same script without our lines."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("plain"))
    project = a_project(machine.folder / "project", PLAIN, {"size.py": "UNITS = 4\n"})
    done = machine.run("train.py", cwd=project)
    assert done.code == 0, done.err
    return Stored(wandb_server, f"default/online/{only_run(project).name.rpartition('-')[2]}")


def test_the_server_holds_the_manifest_in_its_last_version(original: Original) -> None:
    manifest = original.stored.manifest
    assert manifest.ending == Ending(status="finished")
    assert (manifest.run.entity, manifest.run.project) == ("default", "online")
    assert manifest.run.id == original.stored.id


def test_the_server_holds_the_whole_trail(original: Original) -> None:
    trail = read_trail(original.stored.capsule)
    assert trail.end is not None
    assert not trail.torn
    moments = [(weights.moment, weights.epoch) for weights in trail.weights]
    assert moments == [("initial", 0), ("step", 0), ("epoch", 1), ("epoch", 2), ("final", 2)]


def test_the_server_holds_the_source_tree_and_every_wheel(original: Original) -> None:
    execution, capsule = original.stored.manifest.execution, original.stored.capsule
    assert isinstance(execution.code, Code)
    assert isinstance(execution.code.bundle, BundleFile)
    assert sha256_of_file(capsule.bundle) == execution.code.bundle.sha256
    assert isinstance(execution.packages, Packages)
    told = {
        wheel.name: wheel.sha256
        for wheel in (found.repacked for found in execution.packages.distributions)
        if isinstance(wheel, Repacked)
    }
    assert told == {path.name: sha256_of_file(path) for path in capsule.wheels.iterdir()}


def test_the_config_has_one_entry_of_ours_of_at_most_fourteen_scalars(original: Original) -> None:
    config = original.stored.config
    assert set(config) == {"lr", "one", "repro"}
    ours = config["repro"]
    assert len(ours) <= 14
    assert all(isinstance(value, str | bool | int) for value in ours.values())
    assert ours["seed"] == str(2**31 + 7)
    assert ours["dirty"] is True
    assert ours["recorded_by"] == original.stored.manifest.recorded_by


def test_the_summary_has_our_strings(original: Original) -> None:
    summary, trail = original.stored.summary, read_trail(original.stored.capsule)
    noted = ("repro/rerun/", "repro/reproduced")  # by reruns of it, which other tests make
    ours = {
        name: value
        for name, value in summary.items()
        if name.startswith("repro/") and not name.startswith(noted)
    }
    assert set(ours) == {"repro/environment", "repro/manifest", "repro/weights"}
    assert ours["repro/weights"].endswith(trail.weights[-1].root)
    assert ours["repro/manifest"] == original.stored.manifest.sealed().digest
    assert "Keras 3." in ours["repro/environment"]


@pytest.mark.slow
def test_the_history_equals_that_of_the_script_without_us(
    original: Original, plain: Stored
) -> None:
    mine, without = original.stored.history, plain.history
    assert [row["mine"] for row in mine] == [0.5, 1.5, 2.5]
    assert mine == without


@pytest.mark.slow
def test_the_summary_is_otherwise_that_of_the_script_without_us(
    original: Original, plain: Stored
) -> None:
    assert not [name for name in plain.summary if name.startswith("repro/")]
    rest = {
        name: value
        for name, value in original.stored.summary.items()
        if not name.startswith("repro/")
    }
    volatile = ("_runtime", "_timestamp", "_wandb")
    kept = {name: value for name, value in rest.items() if name not in volatile}
    assert kept == {n: value for n, value in plain.summary.items() if n not in volatile}
    assert kept["epoch/loss"] > 0


def test_nothing_but_the_first_and_the_last_line_is_printed(original: Original) -> None:
    first, last = original.said.split("wandb_repro: ")[1:]
    assert re.match(r"recording: seed 2147483655, \d+ source files? \(\d.*(B|bytes)\)", first)
    command = f"wandb-repro rerun {original.stored.path}"
    assert last.startswith(f"recorded: can be rerun with `{command}`")


def test_the_metrics_recorded_are_those_that_were_logged(original: Original) -> None:
    trail = read_trail(original.stored.capsule)
    recorded = [w.metrics["loss"] for w in trail.weights if w.moment == "epoch"]
    logged = [row["epoch/loss"] for row in original.stored.history if "epoch/loss" in row]
    assert [float.fromhex(value) for value in recorded] == logged


def test_no_file_of_the_capsule_is_left_out_or_half_there(original: Original) -> None:
    here = Path(original.project.parent, "elsewhere")
    local = only_run(here) / "files" / "repro"
    for path in (path for path in local.rglob("*") if path.is_file()):
        name = path.relative_to(local).as_posix()
        assert original.stored.file(f"repro/{name}").read_bytes() == path.read_bytes(), name
    assert json.loads((local / "manifest.json").read_text())["ending"]["status"] == "finished"


def test_the_server_holds_the_card_with_what_was_not_committed(original: Original) -> None:
    page = original.stored.file("repro/report.html").read_bytes().decode()
    assert original.stored.id in page
    assert "can be rerun" in page
    assert "<ins>+" in page
