"""A plan as data says what the plan as text says, for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.records import full_manifest
from wandb_repro.manifest.command import Cell, Cells
from wandb_repro.report.plan_data import plan_data
from wandb_repro.rerun.cells import PlannedCells
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.dependencies import Needed
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.plan import Plan, make_plan

CHOICE = Choice(
    None,
    "a new one, as requested",
    (Inequality("keras", "version", "3.15.0", "3.14.0"),),
    needed=Needed(full_manifest().execution.packages, ("pandas",)),  # pyright: ignore[reportArgumentType] - it has packages
)


def plan() -> Plan:
    manifest, folder = full_manifest(), Path("/rerun-1")
    return make_plan(manifest, folder, FoundInputs(), values={3: "hunter2"}, allow_missing=True)


def data_of(made: Plan) -> dict[str, Any]:
    return plan_data(
        "ada/digits/a1", made, CHOICE, recorded_by="ada", sets={"KERAS_BACKEND": "jax"}, begins=""
    )


def test_it_says_what_is_started_where_and_in_which_environment() -> None:
    data = data_of(plan())

    assert (data["run"], data["recorded_by"]) == ("ada/digits/a1", "ada")
    assert (data["work"], data["cwd"]) == ("/rerun-1", str(plan().cwd))
    assert data["environment"] == "a new one, as requested"
    assert data["not_equal"] == ["keras is 3.14.0; the original had 3.15.0"]
    assert (data["left_out"], data["sets"]) == (["pandas"], {"KERAS_BACKEND": "jax"})


def test_no_credential_is_in_it() -> None:
    assert plan().credentials
    assert "hunter2" not in json.dumps(data_of(plan()))


def test_cells_are_listed_only_for_a_notebook() -> None:
    cells = PlannedCells(Cells(cells=(Cell(source="!ls"),)), ("!ls",), ("%pip install x",), {})

    data = data_of(replace(plan(), cells=cells))

    assert (data["cells"], data["commands"]) == (["!ls"], ["!ls"])
    assert data["held_back"] == ["%pip install x"]
    assert "cells" not in data_of(plan())
