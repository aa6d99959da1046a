"""Notebooks: recorded in a real kernel, and their cells executed again without one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.notebooks import CELLS, INIT, SETUP, TRAIN, executed, printed
from tests.support.recorded import Answer, Ask, Project, newcomer
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Cell, Cells, CellsFile, Command
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells
from wandb_repro.store.local import read_manifest

HERE = ("--env", "here", "--yes", "--json")


def _command(project: Project) -> Command:
    command = project.manifest.execution.command
    assert isinstance(command, Command)
    assert command.kind == "notebook"
    return command


def _cells(project: Project) -> tuple[Cell, ...]:
    file = _command(project).cells
    assert isinstance(file, CellsFile), file
    return read_cells(project.capsule, file).cells


def _alone(project: Project, folder: Path) -> Path:
    """Return a capsule whose project is gone."""
    capsule = Capsule(folder / "capsule")
    shutil.copytree(project.capsule.folder, capsule.folder)
    shutil.rmtree(project.folder)
    return capsule.folder


def _identical(answer: Answer, *, digests: int = 5) -> None:
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["digests"] == digests


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a notebook as people work in one. Copy it to change it."""
    project = Project.made(tmp_path_factory.mktemp("notebook") / "project")
    project.repository.write("constants.py", "SIZE = 3\n")
    cells = executed(project.folder, CELLS, allow_errors=True)
    assert "epoch 3 of numbers" in printed(cells)
    return project


def test_every_execution_of_a_cell_is_recorded_in_its_order(worked: Project) -> None:
    cells = _cells(worked)
    assert tuple(cell.source for cell in cells) == CELLS
    assert [cell.raised for cell in cells if cell.raised] == ["NameError", "NameError"]
    assert [cells[1].raised, cells[8].raised] == ["NameError", "NameError"]
    assert _command(worked).working_directory == "."


def test_a_notebook_is_rerun_from_its_cells_alone(
    worked: Project, tmp_path: Path, ask: Ask
) -> None:
    capsule = _alone(worked.copy(tmp_path / "project"), tmp_path)
    answer = ask("rerun", capsule, *HERE, cwd=tmp_path)
    _identical(answer)
    assert "held back: %pip install --help" in answer.err
    assert "cell 9 raised NameError; the original continued, and so does the rerun" in answer.err


def test_the_plan_shows_the_cells_and_what_programs_they_run(worked: Project, ask: Ask) -> None:
    answer = ask("rerun", worked.run_folder, "--env", "here", "--dry-run", cwd=worked.folder)
    assert answer.code == 0, answer.err
    assert f"notebook {len(CELLS)} cells" in answer.text
    assert "cell 1 %load_ext autoreload ..." in answer.text
    assert "cell 7 weight = 1 cell 8" in answer.text
    assert "runs words = !echo two words" in answer.text
    assert "held back %pip install --help" in answer.text


def test_a_notebook_is_shown(worked: Project, ask: Ask) -> None:
    answer = ask("show", worked.run_folder, cwd=worked.folder)
    assert f"notebook notebook: {len(CELLS)} cells" in answer.text
    assert "can be rerun" in answer.text


def test_cells_that_were_changed_are_refused(worked: Project, tmp_path: Path, ask: Ask) -> None:
    project = worked.copy(tmp_path / "project")
    file = project.capsule.cells
    file.write_bytes(file.read_bytes().replace(b"two words", b"two swords"))
    answer = ask("rerun", project.run_folder, *HERE, cwd=tmp_path)
    assert answer.code == 4
    assert "does not hold the cells that its manifest was written for" in answer.data["error"]
    assert not (tmp_path / "wandb").exists()


@pytest.mark.slow
def test_a_notebook_in_a_subfolder_that_fails_in_its_last_cell_is_rerun(
    tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project")
    folder = project.folder / "notebooks"
    folder.mkdir()
    project.repository.write("network.py", "")
    (folder / "network.py").write_text("SIZE = 2\n")
    script = [INIT, SETUP, TRAIN, "import os\nos.chdir('/')", "1 / 0"]
    vscode = "__vsc_ipynb_file__ = '" + str(folder / "digits.ipynb") + "'"
    executed(folder, [vscode, *script], allow_errors=True, WANDB_DIR=str(project.folder))
    command = _command(project)
    assert command.working_directory == "notebooks"
    assert command.target == "notebooks/digits.ipynb"
    _identical(ask("rerun", _alone(project, tmp_path), *HERE, cwd=tmp_path))


KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.slow
def test_a_credential_in_a_cell_is_not_recorded_and_asked_for(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    secret = f"import os\nos.environ['SERVICE_TOKEN'] = '{KEY}'\n"
    executed(project.folder, [secret, INIT, SETUP, TRAIN, f"assert len('{KEY}') == 40"])
    (project.folder / "digits.ipynb").unlink()
    for path in project.run_folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    capsule = _alone(project, tmp_path)
    answer = ask("rerun", capsule, *HERE, cwd=tmp_path)
    assert answer.code == 4
    assert "The notebook contained credentials, which are not recorded: in cell 1, 5" in answer.err
    answer = ask("rerun", capsule, *HERE, "--arg", "1=mine", "--arg", f"5={KEY}", cwd=tmp_path)
    _identical(answer)
    assert KEY not in answer.err
    assert not list(Path(answer.data["work"]).glob("cells.json"))


@pytest.mark.slow
def test_a_kernel_that_was_killed_leaves_a_record_of_what_it_did(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    with pytest.raises(Exception, match="Kernel died"):
        executed(project.folder, [INIT, SETUP, TRAIN], NUMBERS_DO="kill:2")
    assert isinstance(project.manifest.ending, Unavailable)
    assert [weights.epoch for weights in project.trail.weights] == [0, 1, 2]
    assert [cell.source for cell in _cells(project)] == [INIT, SETUP, TRAIN.rstrip("\n")]
    words = (_alone(project, tmp_path), *HERE, "--until-epoch", "2")
    _identical(ask("rerun", *words, cwd=tmp_path), digests=3)


@pytest.mark.slow
def test_a_kernel_that_was_interrupted_leaves_a_record_of_what_it_did(
    tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project")
    stopped = TRAIN.replace("print(f", "if epoch == 2: raise KeyboardInterrupt\n    print(f", 1)
    executed(project.folder, [INIT, SETUP, stopped, "run.finish()"], allow_errors=True)
    ending = project.manifest.ending
    assert not isinstance(ending, Unavailable)
    assert ending.status == "interrupted"
    assert _cells(project)[2].raised == "KeyboardInterrupt"
    assert [weights.epoch for weights in project.trail.weights] == [0, 1]


KERAS = (
    "import keras\nimport numpy as np\nimport wandb_repro",
    "from wandb_repro.keras import ReproCallback\n"
    "run = wandb_repro.init(project='dense', config={'epochs': 2}, seed=7)",
    "x = np.random.normal(size=(64, 4)).astype('float32')\nwandb_repro.fingerprint('train', x)",
    "def model_of(size):\n    model = keras.Sequential([keras.Input((4,)), "
    "keras.layers.Dense(size), keras.layers.Dropout(0.5), keras.layers.Dense(4)])\n"
    "    model.compile('adam', 'mse', jit_compile=False)\n    return model",
    "model = model_of(8)\nmodel.summary()",
    "history = model.fit(x, x, epochs=run.config['epochs'], callbacks=[ReproCallback()])",
    "history.history['loss'][-1]",
)


@pytest.mark.slow
def test_a_keras_training_in_a_notebook_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    executed(project.folder, KERAS)
    moments = len(project.trail.weights)
    assert moments >= 4
    answer = ask("rerun", _alone(project, tmp_path), *HERE, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"


def _started(folder: Path, *cells: Cell) -> subprocess.CompletedProcess[str]:
    """Execute cells as a rerun does."""
    (folder / "cells.json").write_bytes(Cells(cells=cells).to_bytes())
    return subprocess.run(
        [sys.executable, "-m", "wandb_repro.notebook", "cells.json", "digits.ipynb"],
        cwd=folder,
        env=newcomer(HOME=str(folder / "home")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_cell_that_fails_for_the_first_time_ends_the_rerun(tmp_path: Path) -> None:
    fails = Cell(source="1 / 0", raised="ValueError")
    done = _started(tmp_path, Cell(source="print('one')\n"), fails, Cell(source="print('three')"))
    assert done.returncode == 1
    assert done.stdout.startswith("one\n")
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "three" not in done.stdout
    assert "cell 2 raised ZeroDivisionError, which it did not in the original" in done.stderr
    assert not (tmp_path / "home").exists()


SEEN = """\
import asyncio, json, pickle, sys
class Thing: ...
await asyncio.sleep(0)
pickle.loads(pickle.dumps(Thing()))
json.dumps([__name__, sys.argv, "" in sys.path, _dh[0].name, In[1], _1])"""


def test_a_cell_sees_what_it_sees_in_a_kernel(tmp_path: Path) -> None:
    cells = (Cell(source="40 + 2"), Cell(source="1 +", raised="SyntaxError"), Cell(source=SEEN))
    done = _started(tmp_path, *cells, Cell(source="print(_)"))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen == ["__main__", ["digits.ipynb"], True, tmp_path.name, "40 + 2", 42]


def test_no_cells_are_executed_to_nothing(tmp_path: Path) -> None:
    done = _started(tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
def test_cells_that_are_executed_again_begin_another_run(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    again = [
        INIT.replace("seed=7", "seed=None"),
        SETUP.replace("weights = ", "weights = 1 + "),
        TRAIN,
    ]
    executed(project.folder, [*again, "weights[:] = 0", *again])
    first, second = project.capsules()
    assert read_manifest(Capsule(first)).ending == read_manifest(Capsule(second)).ending
    assert len(_cells(project)) == 7
    _identical(ask("rerun", second, *HERE, cwd=tmp_path))
