"""``verify --history`` against the server: what the SDK stores is found, and what is lost is named.

The server's own file of the history is changed: what a server that loses points returns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.online.conftest import Original
from tests.support.machine import Done, Machine, Stored, a_project
from tests.support.server import WandbServer, free_port

pytestmark = pytest.mark.slow

_LOGS = """
import math
import sys

import numpy as np
import wandb

import wandb_repro

run = wandb_repro.init(project="history", id=sys.argv[1], resume="allow", seed=1)
run.define_metric("val/*", step_metric="train/step")
run.log({"a": 1.0}, commit=False)
run.log({"b": 0.1})
run.log({"a": 2.0}, step=5)
run.log({"b": 3.0}, step=5)
run.log({"a": 9.0}, step=3)
run.log({"nan": math.nan, "inf": math.inf, "-inf": -math.inf}, step=6)
run.log({"big": 2**53 + 1, "third": 1 / 3, "f32": np.float32(0.1), "int64": np.int64(-(2**60))})
run.log({"nest": {"x": 1.5, "y": {"z": 2}}, "a.b": 3.25, "a/b": 4, "text": "é", "yes": True})
run.log({"long": "x" * 100, "list": [1, 2], "hist": wandb.Histogram([1, 2, 3]), "none": None})
run.log({})
run.log({"train/step": 7, "loss": 0.5})
run.log({"val/x": 0.25, "time": 3.5})
run.log({"val/x": 0.125})
for step in range(0, 2500):
    run.log({"loss": 1 / (step + 1)}, step=10_000 + step)
run.log({"last": 1.0}, step=10**12)
run.log({"pending": 1.0}, commit=False)
if len(sys.argv) > 2:
    run.log({"minus zero": -0.0, "2**64": 2**64 - 1})
"""

RUN = "default/history/whole"

EQUAL = 2500 + 25
"""Points of the script that are numbers, short texts, truth values or None."""


@pytest.fixture(scope="module")
def machine(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Give the machine that trains."""
    return Machine(wandb_server, tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def stored(machine: Machine) -> Stored:
    """Record the script once."""
    project = a_project(machine.folder / "project", _LOGS, {})
    done = machine.run("train.py", "whole", cwd=project)
    assert done.code == 0, done.said
    return Stored(machine.server, RUN)


@pytest.fixture
def change(stored: Stored) -> Iterator[Callable[[Callable[[dict[str, Any]], object]], None]]:
    """Give a function that changes each row on the server; all is undone afterwards."""
    file = stored.file("wandb-history.jsonl")
    whole = file.read_text()

    def apply(edit: Callable[[dict[str, Any]], object]) -> None:
        rows = [json.loads(line) for line in whole.splitlines()]
        kept = [row for row in rows if edit(row) is not None]
        file.write_text("".join(json.dumps(row) + "\n" for row in kept))

    yield apply
    file.write_text(whole)


def _points(done: Done, kind: str) -> list[tuple[str, int, str, str]]:
    found = done.data[kind]
    assert found["count"] == len(found["first"])
    return [(one["key"], one["step"], one["logged"], one["stored"]) for one in found["first"]]


def test_a_history_is_found_whole(stored: Stored, clean: Machine) -> None:
    done = clean.repro("verify", stored.path, "--history")

    assert done.code == 0, done.said
    assert done.out.startswith("equal  W&B has the history that was logged")
    assert f"{EQUAL:,} points in 2,509 rows" in done.said
    assert "2 points that W&B adds for define_metric" in done.said
    assert "not compared hist, list, long" in done.said


def test_the_record_on_this_disk_is_compared_with_the_run_s_page(
    machine: Machine, stored: Stored
) -> None:
    del stored
    done = machine.repro("verify", "latest", "--history", "--json", cwd=machine.folder / "project")

    assert done.code == 0, done.said
    assert (done.data["grade"], done.data["equal"], done.data["repeated"]) == ("equal", EQUAL, 2)


def test_what_the_server_lost_changed_or_added_is_named(
    stored: Stored, clean: Machine, change: Callable[[Callable[[dict[str, Any]], object]], None]
) -> None:
    def edit(row: dict[str, Any]) -> object:
        if row["_step"] == 10_700:
            return None
        if row["_step"] == 5:
            del row["b"]
        if row["_step"] == 10_001:
            row["loss"] += 2**-53
        if row["_step"] == 12_000:
            row["new"] = 7
        return row

    change(edit)
    done = clean.repro("verify", stored.path, "--history", "--json")

    assert done.code == done.data["exit_code"] == 1, done.said
    assert done.data["equal"] == EQUAL - 3
    assert _points(done, "lost") == [
        ("b", 5, "3.0", "not there"),
        ("loss", 10_700, repr(1 / 701), "not there"),
    ]
    assert _points(done, "changed") == [("loss", 10_001, "0.5", "0.5000000000000001")]
    assert _points(done, "extra") == [("new", 12_000, "not there", "7")]
    assert _points(done, "outside") == []


def test_what_w_and_b_cannot_hold_is_named(machine: Machine, clean: Machine) -> None:
    done = machine.run("train.py", "rounded", "round", cwd=machine.folder / "project")
    assert done.code == 0, done.said
    done = clean.repro("verify", "default/history/rounded", "--history")

    assert done.code == 1, done.said
    assert "minus zero at step 1,000,000,000,000: -0.0 was logged, W&B has 0 " in done.said
    assert "18446744073709551615 was logged, W&B has 1.8446744073709552e+19" in done.said


def test_a_training_that_logs_by_the_metrics_logger(original: Original, clean: Machine) -> None:
    done = clean.repro("verify", original.stored.path, "--history", "--json")

    assert done.code == 0, done.said
    rows = original.stored.history
    points = sum(not key.startswith("_") for row in rows for key in row)
    assert points > 8
    assert (done.data["rows"], done.data["equal"]) == (len(rows), points)
    assert (done.data["repeated"], done.data["not_compared"]) == (0, [])


_ATTACHED = """
import wandb

import wandb_repro

run = wandb.init(project="history", id="attached")
run.log({"early": 1.0})
run.log({"early": 2.0})
wandb_repro.attach(run, seed=1)
run.log({"late": 3.0})
"""


def test_rows_from_before_the_record_are_not_compared(machine: Machine, clean: Machine) -> None:
    project = a_project(machine.folder / "attached", _ATTACHED, {})
    done = machine.run("train.py", cwd=project)
    assert done.code == 0, done.said
    done = clean.repro("verify", "default/history/attached", "--history", "--json")

    assert done.code == 3, done.said
    assert _points(done, "outside") == [
        ("early", 0, "not there", "1"),
        ("early", 1, "not there", "2"),
    ]
    assert (done.data["equal"], _points(done, "lost"), _points(done, "extra")) == (1, [], [])
    assert "W&B has rows before step 2, where the record begins" in done.data["unknown"][0]


def test_a_run_that_is_not_there(stored: Stored, clean: Machine) -> None:
    done = clean.repro("verify", f"{stored.path}x", "--history")

    assert done.code == 2
    assert "There is no run default/history/wholex" in done.said


def test_a_run_whose_page_is_on_a_server_that_is_not_configured(
    machine: Machine, stored: Stored
) -> None:
    other = f"http://127.0.0.1:{free_port()}"
    folder = str(stored.capsule.folder)
    done = machine.repro("verify", folder, "--history", WANDB_BASE_URL=other)

    assert done.code == 2
    assert f"Its page is on {machine.server.base_url}, but wandb is configured for" in done.said
