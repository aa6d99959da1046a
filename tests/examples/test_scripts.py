from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {"quickstart", "conv_digits", "custom_step"}


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
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
