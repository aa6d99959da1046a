from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.recorded import Ask, Project

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"quickstart", "conv_digits", "custom_step"}


def _marked(path: Path) -> ParameterSet:
    marks = () if path.stem == "quickstart" else (pytest.mark.slow,)
    return pytest.param(path, marks=marks, id=path.stem)


@pytest.mark.parametrize("example", map(_marked, EXAMPLES))
def test_each_example_runs_is_recorded_and_reruns_identically(
    example: Path, tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", example.read_text())
    assert project.record("train.py").returncode == 0
    assert project.trail.end is not None
    epochs = project.manifest.execution.config
    assert isinstance(epochs, dict)
    words = ("rerun", "latest", "--env", "here", "--yes", "--json")
    answer = ask(*words, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["metrics_equal_bits"] == epochs["epochs"]
