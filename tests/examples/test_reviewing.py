"""What ``examples/reviewing`` tells of W&B's pages holds: columns, and the saved view."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.records import rerun_manifest
from wandb_repro.recording.publish import publish_config
from wandb_repro.recording.wandb_run import Run

FOLDER = Path(__file__).parents[2] / "examples" / "reviewing"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


class _OfARun:
    """A run with a config that is told once."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}

    @property
    def config(self) -> _OfARun:
        return self

    def update(self, values: dict[str, Any], *, allow_val_change: bool) -> None:
        assert allow_val_change
        self.told |= values


def test_its_columns_are_those_that_are_written() -> None:
    run = _OfARun()
    publish_config(cast("Run", run), rerun_manifest())

    named = re.findall(r"`repro\.(\w+)`", PAGE.split("## Filters")[0])

    assert set(named) == set(run.told["repro"])
    assert run.told["repro"]["driver"] == "580.65.06"


def test_columns_that_are_there_are_not_written_again() -> None:
    run = _OfARun()
    there = publish_config(cast("Run", run), rerun_manifest())
    run.told.clear()

    assert publish_config(cast("Run", run), rerun_manifest(), there) == there
    assert not run.told

    publish_config(cast("Run", run), rerun_manifest({"execution.deterministic": None}), there)
    assert "deterministic" not in run.told["repro"]


@pytest.fixture(scope="module")
def workspaces() -> Any:
    """Give the package that views are made with, or skip."""
    return pytest.importorskip("wandb_workspaces.workspaces")


def test_the_view_compares_with_the_baseline_and_shows_the_card(workspaces: Any) -> None:
    del workspaces
    made = runpy.run_path(str(FOLDER / "workspace.py"))["view"]("ada", "digits", "a1b2c3d4")

    spec = json.dumps(json.loads(made._to_model().model_dump_json(by_alias=True)))

    assert '"Run Comparer"' in spec
    assert '"diffOnly": "split"' in spec
    assert '"Media Browser"' in spec
    assert '"repro/card"' in spec
    # The baseline becomes part of the spec when W&B, on saving, tells its inner id.
    assert made.runset_settings.baseline_run == "a1b2c3d4"
    for column in ("config:repro.dirty", "summary:repro/reproduced"):
        assert column in spec


def test_its_columns_stand_on_the_page(workspaces: Any) -> None:
    del workspaces
    columns = runpy.run_path(str(FOLDER / "workspace.py"))["COLUMNS"]

    for column in columns:
        assert f"`{column.partition(':')[2]}`" in PAGE, column


@pytest.mark.slow
def test_the_script_prints_the_view_without_a_login(workspaces: Any, tmp_path: Path) -> None:
    del workspaces
    words = ("ada/digits", "--baseline", "a1b2c3d4", "--print")
    done = subprocess.run(
        [sys.executable, str(FOLDER / "workspace.py"), *words],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "WANDB_MODE": "offline"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "RunComparer" in done.stdout
    assert "a1b2c3d4" in done.stdout
