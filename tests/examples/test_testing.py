"""The suite in ``examples/testing``, as a team copies it, and its workflow for GitHub Actions."""

from __future__ import annotations

import inspect
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

import wandb_repro.testing
from tests.support.recorded import newcomer

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "testing"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _workflow() -> Any:
    return yaml.safe_load((EXAMPLE / "reproducibility.yml").read_text())


def _steps() -> list[Any]:
    return cast("list[Any]", _workflow()["jobs"]["training"]["steps"])


def _commands() -> list[str]:
    return [step["run"] for step in _steps() if "run" in step]


def test_the_workflow_installs_what_is_there_and_runs_the_tests() -> None:
    assert _commands() == [
        "python -m pip install -r requirements.txt",
        "python -m pytest --repro-update",
        "python -m pytest",
    ]
    assert (EXAMPLE / "requirements.txt").is_file()
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", it["uses"]) for it in _steps() if "uses" in it)
    assert _workflow()["permissions"] == {"contents": "read"}
    asked = cast("dict[object, Any]", _workflow())[True]  # YAML 1.1 reads the key "on" as this
    assert set(asked) == {"push", "pull_request", "workflow_dispatch"}
    assert [step["if"] for step in _steps() if "if" in step] == ["inputs.update_golden"] * 2
    assert "update_golden" in asked["workflow_dispatch"]["inputs"]


def test_the_readme_names_every_assertion_with_its_own_parameters() -> None:
    table = README[README.index("| assertion |") :].split("\n\n")[0].splitlines()[2:]
    named = {re.findall(r"`(\w+)\(([^`]*)\)`", row)[0] for row in table}
    assert {name for name, _ in named} == set(wandb_repro.testing.__all__)
    for name, arguments in named:
        known = inspect.signature(getattr(wandb_repro.testing, name)).parameters
        given = re.findall(r"(?:^|, )(\w+)(?==|,|$)", re.sub(r"\([^)]*\)", "", arguments))
        is_open = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in known.values())
        assert is_open or set(given) <= set(known), name


@pytest.mark.slow
def test_the_suite_passes_as_the_workflow_runs_it(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__", "golden"))
    environment = newcomer(**{name: str(value) for name, value in _workflow()["env"].items()})
    for command in _commands()[1:]:
        words = shlex.split(command)[1:]
        done = subprocess.run(
            [sys.executable, *words, "-p", "no:cacheprovider"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "5 passed" in done.stdout
    assert (folder / "golden" / "train.json").is_file()
    assert not (folder / "wandb").exists()
