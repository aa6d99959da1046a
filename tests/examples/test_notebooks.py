"""The notebooks in ``examples``: each is executed in a real kernel, recorded, and rerun."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, cast

import nbformat
import pytest

from tests.support.notebooks import executed, printed
from tests.support.recorded import Ask, Project

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples" / "notebooks").glob("*.ipynb"))

RUNS = {"01_perceptron": 1, "02_sweep": 4, "03_checkpoints": 1}
"""Runs that each records."""


def _cells(notebook: Path, kind: str) -> list[str]:
    read: Any = cast("Any", nbformat).read(notebook, as_version=4)
    return [cell.source for cell in read.cells if cell.cell_type == kind]


def test_the_notebooks_of_the_report_are_there() -> None:
    assert [notebook.stem for notebook in NOTEBOOKS] == list(RUNS)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_valid_explained_and_holds_no_output(notebook: Path) -> None:
    read: Any = cast("Any", nbformat).read(notebook, as_version=4)
    cast("Any", nbformat).validate(read)
    assert read.cells[0].cell_type == "markdown"
    assert "scikit-learn's handwritten digits" in " ".join(read.cells[0].source.split())
    code = [cell for cell in read.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    for cell in code:
        ast.parse(cell.source)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_executed_recorded_and_reruns_identically(
    notebook: Path, tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project")
    cells = executed(project.folder, _cells(notebook, "code"), name=notebook.name)
    assert "accuracy" in printed(cells)
    capsules = project.capsules()
    assert len(capsules) == RUNS[notebook.stem]
    for number, capsule in enumerate(capsules):
        if number not in (0, len(capsules) - 1):
            continue  # of a sweep the first and the last: the last makes those before it, too
        words = ("rerun", capsule, "--env", "here", "--yes", "--json")
        answer = ask(*words, cwd=tmp_path)
        assert answer.code == 0, answer.err
        assert answer.data["grade"] == "identical"
        assert answer.data["metric_epochs"] == answer.data["metrics_equal_bits"] > 0
