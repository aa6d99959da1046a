from __future__ import annotations

import pytest

from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.command import Cell, Cells, CellsFile
from wandb_repro.rerun.cells import PlannedCells, plan_cells


def _planned(*sources: str, redacted: tuple[int, ...] = (), **values: str) -> PlannedCells:
    """Return the plan of these cells; ``c1="x"`` gives the credential of cell 1."""
    cells = Cells(cells=tuple(Cell(source=source) for source in sources))
    file = CellsFile(name="cells.json", sha256="", size_bytes=1, count=1, redacted=redacted)
    return plan_cells(cells, file, {int(name[1:]): value for name, value in values.items()})


@pytest.mark.parametrize(
    "line",
    [
        "%pip install keras",
        "%pip install -q keras==3",
        "!pip install keras",
        "!pip3 uninstall -y keras",
        "!python -m pip install keras",
        "!{sys.executable} -m pip install keras",
        "!sudo apt-get -y install graphviz",
        "!uv pip install keras",
        "%conda install keras",
        "!!pip install keras",
        "out = !pip install keras",
        "    !pip install keras",
    ],
)
def test_a_line_that_changes_the_environment_is_held_back(line: str) -> None:
    planned = _planned(f"a = 1\n{line}\nb = 2")
    assert planned.held_back == (line.strip(),)
    assert planned.commands == ()
    first, held, last = planned.cells.cells[0].source.split("\n")
    assert (first, last) == ("a = 1", "b = 2")
    assert held.lstrip().startswith("print('held back: ")
    assert len(held) - len(held.lstrip()) == len(line) - len(line.lstrip())


@pytest.mark.parametrize(
    "line", ["!pip list", "!pip freeze > installed.txt", "!ls", "files = !ls data", "%sx ls"]
)
def test_a_line_that_runs_another_program_is_run_and_named(line: str) -> None:
    planned = _planned(f"a = 1\n{line}")
    assert planned.commands == (line,)
    assert planned.cells.cells[0].source == f"a = 1\n{line}"


@pytest.mark.parametrize("source", ["install = 1", "a != b", "print('!ls')", "%time x", "# !ls"])
def test_code_is_neither_held_back_nor_named(source: str) -> None:
    planned = _planned(source)
    assert (planned.commands, planned.held_back) == ((), ())
    assert planned.cells.cells[0].source == source


def test_every_line_of_a_cell_that_is_a_shell_script_is_named() -> None:
    planned = _planned("%%bash\ncd data\n\npip install x")
    assert planned.commands == ("%%bash", "cd data", "pip install x")


def test_credentials_that_were_cut_out_are_asked_for_at_once() -> None:
    with pytest.raises(RefusedError) as caught:
        _planned("a = 1", "f('<redacted>')", "g('<redacted>')", redacted=(2, 3))
    assert "in cell 2, 3" in caught.value.message
    assert caught.value.hint.endswith("--arg 2=VALUE --arg 3=VALUE")


def test_a_credential_is_put_in_its_place_and_not_shown() -> None:
    planned = _planned("f('<redacted>', '<redacted>')", "'<redacted>'", redacted=(1,), c1="mine")
    assert planned.cells.cells[0].source == "f('<redacted>', '<redacted>')"
    assert [cell.source for cell in planned.filled().cells] == ["f('mine', 'mine')", "'<redacted>'"]


def test_a_credential_for_a_cell_that_lost_none_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="removed from cell 1"):
        _planned("a = 1", c1="x")
