"""A folder prepared where there is a network, run where there is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import Environment
from tests.support.lean import packages_of
from tests.support.network import NOWHERE, without_network
from tests.support.notebooks import INIT, SETUP, TRAIN, executed
from tests.support.recorded import Ask, Project, begun, with_manifest
from tests.support.repositories import on_disk
from wandb_repro.rerun.environment.compare import compare_environments
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def prepared(lean: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder that was prepared, and moved since. The run was recorded online."""
    folder = tmp_path_factory.mktemp("prepared")
    project = lean.copy(folder / "project")
    with_manifest(project, {"run.offline": False})
    with begun(
        *("rerun", project.run_folder, "--prepare", folder / "first", "--json"), cwd=folder
    ) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out)["not_equal"] == []
    shutil.rmtree(project.folder)
    (folder / "elsewhere").mkdir()
    return (folder / "first").rename(folder / "elsewhere" / "second")


@pytest.fixture
def alone(tmp_path: Path) -> Run:
    """Give a function that starts a command with neither a network nor a terminal.

    Its environment is a compute node's: a PATH without this project's tools, an empty home.
    """

    def start(*command: object, **environ: str) -> subprocess.CompletedProcess[str]:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        return subprocess.run(
            without_network([str(word) for word in command]),
            cwd=tmp_path,
            env={"PATH": os.defpath, "HOME": str(home), **NOWHERE, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=300,
            check=False,
        )

    return start


def _copy(prepared: Path, folder: Path) -> Path:
    shutil.copytree(prepared, folder, symlinks=True, copy_function=os.link)
    return folder


def _data(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


def test_a_prepared_folder_reruns_identically_with_no_network_and_no_terminal(
    prepared: Path, alone: Run, tmp_path: Path
) -> None:
    done = alone(prepared / "rerun.sh", "--json")
    assert done.returncode == 0, done.stderr
    verdict = _data(done)
    assert verdict["grade"] == "identical"
    assert verdict["environment"] == []
    rerun = read_manifest(Capsule(Path(verdict["capsule"])))
    assert rerun.run.offline
    assert packages_of(Capsule(Path(verdict["capsule"]))).interpreter.executable == str(
        prepared / "env" / "bin" / "python"
    )
    assert Path(verdict["work"]).parent == tmp_path / "wandb"


@pytest.mark.slow
def test_its_exit_codes_are_those_of_rerun(prepared: Path, alone: Run) -> None:
    script = prepared / "rerun.sh"
    assert alone(script, NUMBERS_DO="differ:2").returncode == 1
    assert alone(script, "--until-epoch", "0").returncode == 2
    assert alone(script, NUMBERS_DO="nothing").returncode == 3
    assert alone(script, NUMBERS_DO="fail:1").returncode == 5


def test_a_module_path_of_today_is_not_the_originals(
    prepared: Path, alone: Run, tmp_path: Path
) -> None:
    for name in ("click.py", "numpy.py", "wandb_repro.py"):
        (tmp_path / "modules").mkdir(exist_ok=True)
        (tmp_path / "modules" / name).write_text("raise SystemExit(77)\n")
    done = alone(prepared / "rerun.sh", PYTHONPATH=str(tmp_path / "modules"))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_wish_to_log_online_is_heeded(prepared: Path, alone: Run) -> None:
    """There is no network: that the training fails for it is the proof."""
    done = alone(
        prepared / "rerun.sh", WANDB_MODE="online", WANDB_API_KEY="0" * 40, WANDB_INIT_TIMEOUT="3"
    )
    assert done.returncode == 5, done.stderr


def test_a_copy_of_the_script_alone_says_how_to_start_it(
    prepared: Path, alone: Run, tmp_path: Path
) -> None:
    """As a batch system does that puts its scripts in a spool."""
    shutil.copy(prepared / "rerun.sh", tmp_path / "slurm_script")
    done = alone(tmp_path / "slurm_script")
    assert done.returncode == 4
    assert "sbatch --wrap" in done.stderr


def test_a_python_that_is_not_on_this_machine_is_named(
    prepared: Path, alone: Run, tmp_path: Path
) -> None:
    copy = _copy(prepared, tmp_path / "copy")
    (copy / "env" / "bin" / "python").unlink()
    (copy / "env" / "bin" / "python").symlink_to("/no/such/python")
    done = alone(copy / "rerun.sh")
    assert done.returncode == 4
    assert "does not start here" in done.stderr
    home = next(
        line for line in (copy / "env" / "pyvenv.cfg").read_text().splitlines() if "home" in line
    )
    assert home.removeprefix("home = ") in done.stderr


def test_an_unprepared_folder_without_a_network_is_refused_and_nothing_half_is_left(
    prepared: Path, alone: Run, tmp_path: Path
) -> None:
    copy = _copy(prepared, tmp_path / "copy")
    shutil.rmtree(copy / "env")
    done = alone(copy / "rerun.sh")
    assert done.returncode == 4
    assert "uv, which builds the environment, is not installed" in done.stderr
    assert sorted(path.name for path in copy.iterdir()) == [
        *("code", "pylock.toml", "repro", "requirements.txt", "rerun.sh")
    ]


@pytest.mark.slow
def test_preparing_again_looks_at_what_is_there(prepared: Path, ask: Ask, tmp_path: Path) -> None:
    copy = _copy(prepared, tmp_path / "copy")
    assert ask("rerun", copy, "--prepare", copy, cwd=tmp_path).code == 0
    (record,) = copy.glob("env/lib/python*/site-packages/click-*.dist-info/RECORD")
    lines = record.read_text().splitlines()
    record.unlink()
    record.write_text("\n".join(line for line in lines if "click/core.py" not in line))
    answer = ask("rerun", copy, "--prepare", copy, "--json", cwd=tmp_path)
    assert answer.code == 1
    assert answer.data["not_equal"] == ["the files of click differ"]


@pytest.mark.slow
def test_an_exported_folder_can_be_prepared_later(prepared: Path, ask: Ask, tmp_path: Path) -> None:
    copy = _copy(prepared, tmp_path / "copy")
    shutil.rmtree(copy / "env")
    answer = ask("rerun", copy, "--prepare", copy, cwd=tmp_path)
    assert answer.code == 0, answer.err
    original, built = packages_of(Capsule(copy / "repro")), Environment.at(copy / "env").packages()
    assert compare_environments(original, built.distributions) == ()


def test_the_folder_of_another_run_is_left_alone(
    prepared: Path, numbers: Project, ask: Ask, tmp_path: Path
) -> None:
    before = sorted(path.name for path in prepared.iterdir())
    answer = ask("rerun", "latest", "--prepare", prepared, cwd=numbers.folder)
    assert answer.code == 2
    assert "is not empty" in answer.error
    assert sorted(path.name for path in prepared.iterdir()) == before


@pytest.mark.parametrize(
    "option",
    [("--env", "here"), ("--threads", "1"), ("--dry-run",), ("--dir", "x"), ("--rtol", "1")],
)
def test_what_is_about_the_training_belongs_to_the_script(
    option: tuple[str, ...], numbers: Project, ask: Ask, tmp_path: Path
) -> None:
    answer = ask("rerun", "latest", "--prepare", tmp_path / "new", *option, cwd=numbers.folder)
    assert answer.code == 2
    assert f"{option[0]} is about training" in answer.error
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_a_prepared_notebook_finds_what_it_used_beside_its_tree(alone: Run, tmp_path: Path) -> None:
    """Its cells are in the capsule, and so is a module of a second repository on its path."""
    home = tmp_path / "origin"
    project = Project.made(home / "project")
    (project.folder / "network.py").unlink()
    (home / "second").mkdir()
    (home / "second" / "network.py").write_text("SIZE = 4\n")
    executed(project.folder, (INIT, SETUP, TRAIN, "run.finish()"), PYTHONPATH="../second")
    run = project.run_folder.rename(tmp_path / "run")
    home.rename(tmp_path / "gone")
    words = ("rerun", run, "--prepare", tmp_path / "first", "--json")
    with begun(*words, cwd=tmp_path) as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out)["not_equal"] == []
    run.rename(tmp_path / "gone-too")
    folder = (tmp_path / "first").rename(tmp_path / "second")
    assert (folder / "repro" / "added.bundle").is_file()
    assert set(on_disk(folder / "code")) == {".gitignore", "digits.ipynb", "train.py"}
    done = alone(folder / "rerun.sh", "--json")
    assert done.returncode == 0, done.stderr
    assert _data(done)["grade"] == "identical"
