"""Each way to start a training: recorded, the project deleted, rerun from its capsule alone."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import textwrap
import zipapp
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_wheel
from tests.support.recorded import NUMBERS, Ask, Project, begun
from tests.support.repositories import repository
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Command
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

HERE = ("--env", "here", "--yes", "--json")
NO_FILES = NUMBERS.replace("in sys.argv[1:]", "in ()")
SAYS_HOW = NO_FILES + (
    "print(ascii(sys.argv[1:]), sys.flags.optimize, sys.flags.utf8_mode, sys.warnoptions)\n"
)


class Alone:
    """A capsule whose project is gone from this machine."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.folder = folder
        self.capsule = Capsule(folder / "capsule")
        shutil.copytree(project.capsule.folder, self.capsule.folder)
        shutil.rmtree(project.folder)

    @property
    def command(self) -> Command:
        """How it was started."""
        command = read_manifest(self.capsule).execution.command
        assert isinstance(command, Command)
        return command

    def rerun_identical(self, ask: Ask) -> str:
        """Rerun it, check the verdict, and return what its training printed."""
        answer = ask("rerun", self.capsule.folder, *HERE, cwd=self.folder)
        assert answer.code == 0, answer.err
        assert answer.data["grade"] == "identical"
        assert answer.data["digests"] == 5
        return answer.err


def _package(folder: Path, script: str = "train.py") -> Project:
    """Return a project whose training is in a package, and imports from it."""
    project = Project.made(folder)
    project.repository.write("digits/__init__.py", "")
    project.repository.write("digits/sizes.py", "SIZE = 3\n")
    project.repository.write(f"digits/{script}", NUMBERS.replace("from network", "from .sizes"))
    return project


@pytest.mark.slow
def test_a_module_of_a_package_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = _package(tmp_path / "project")
    assert project.record("-m", "digits.train").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.kind, alone.command.target) == ("module", "digits.train")
    alone.rerun_identical(ask)


@pytest.mark.slow
def test_a_package_is_rerun_by_its_main_module(tmp_path: Path, ask: Ask) -> None:
    project = _package(tmp_path / "project", "__main__.py")
    assert project.record("-m", "digits").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.kind, alone.command.target) == ("module", "digits")
    alone.rerun_identical(ask)


@pytest.mark.slow
def test_a_module_is_rerun_from_a_subfolder(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    for name in ("train.py", "network.py"):
        (project.folder / "jobs" / "now").mkdir(parents=True, exist_ok=True)
        (project.folder / name).rename(project.folder / "jobs" / "now" / name)
    assert project.record("-m", "now.train", cwd="jobs", PYTHONPATH="now").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.target, alone.command.working_directory) == ("now.train", "jobs")
    answer = ask("rerun", alone.capsule.folder, *HERE, cwd=tmp_path, PYTHONPATH="now")
    assert answer.code == 0, answer.err


@pytest.mark.slow
def test_a_script_is_rerun_from_a_subfolder(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    project.repository.write("jobs/now/start.csv", "1.5")
    assert project.record("../../train.py", "start.csv", cwd="jobs/now").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.target, alone.command.working_directory) == ("train.py", "jobs/now")
    alone.rerun_identical(ask)


@pytest.mark.slow
def test_the_text_of_a_command_line_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    assert project.record("-c", NO_FILES + "# \u00e9\n", "-m", "x").returncode == 0
    alone = Alone(project, tmp_path)
    assert alone.command.kind == "code"
    assert alone.command.arguments == ("-m", "x")
    alone.rerun_identical(ask)


def test_code_from_standard_input_is_refused_since_it_is_gone(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    with (project.folder / "train.py").open("rb") as script:
        assert project.record("-", stdin=script).returncode == 0
    command = project.manifest.execution.command
    assert isinstance(command, Unavailable)
    alone = Alone(project, tmp_path)
    answer = ask("rerun", alone.capsule.folder, *HERE, cwd=tmp_path)
    assert answer.code == 4
    assert (
        "the code came through standard input and is gone; put it in a file" in answer.data["error"]
    )
    assert not (tmp_path / "wandb").exists()


@pytest.mark.slow
def test_an_archive_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    source = tmp_path / "source"
    source.mkdir()
    (source / "__main__.py").write_text(NUMBERS)
    (source / "network.py").write_text("SIZE = 5\n")
    zipapp.create_archive(source, project.folder / "train.pyz")
    shutil.rmtree(source)
    assert project.record("train.pyz").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.kind, alone.command.target) == ("script", "train.pyz")
    alone.rerun_identical(ask)


@pytest.mark.slow
def test_a_folder_is_rerun_by_its_main_module(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    project.repository.write("app/__main__.py", NUMBERS)
    project.repository.write("app/network.py", "SIZE = 5\n")
    assert project.record("app").returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.kind, alone.command.target) == ("script", "app")
    alone.rerun_identical(ask)


ODD = (
    "two words",
    "new\nline",
    "tab\t",
    "\u00fcber \u6f22",
    "-x",
    "--lr=-1",
    "--",
    "",
    "a'b\"c",
    "$(touch broken)",
    "*",
    "back\\slash",
)


@pytest.mark.slow
def test_flags_and_odd_arguments_are_handed_on_as_they_were(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", SAYS_HOW)
    flags = ("-O", "-X", "utf8", "-W", "error::ResourceWarning")
    assert project.record(*flags, "train.py", *ODD).returncode == 0
    alone = Alone(project, tmp_path)
    assert alone.command.interpreter_flags == flags
    assert alone.command.arguments == ODD
    printed = alone.rerun_identical(ask)
    assert f"{[*ODD]!a} 1 1 ['error::ResourceWarning']" in printed
    assert not list(tmp_path.rglob("broken"))


CHANGES_FOLDER = f"import os\nos.chdir('deep/er')\n{NO_FILES}" + (
    "print('ended in', os.path.relpath(os.getcwd(), os.path.dirname(__file__)))\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["train.py"], pytest.param(["-m", "train"], marks=pytest.mark.slow)],
    ids=["script", "module"],
)
def test_a_script_that_changes_its_folder_before_init_is_rerun_from_where_it_began(
    tmp_path: Path, ask: Ask, words: list[str]
) -> None:
    project = Project.made(tmp_path / "project", CHANGES_FOLDER)
    project.repository.write("deep/er/notes.md", "")
    assert project.record(*words).returncode == 0
    alone = Alone(project, tmp_path)
    assert alone.command.working_directory == "."
    assert "ended in deep/er" in alone.rerun_identical(ask)


@pytest.mark.slow
def test_a_script_outside_the_repository_comes_back(tmp_path: Path, ask: Ask) -> None:
    tools = Project.made(tmp_path / "tools")
    elsewhere = repository(tmp_path / "elsewhere")
    script = str(tools.folder / "train.py")
    assert tools.record(script, cwd="../elsewhere").returncode == 0
    shutil.rmtree(elsewhere.path)
    alone = Alone(tools, tmp_path)
    assert alone.command.target == "train.py"
    alone.rerun_identical(ask)


@pytest.mark.slow
def test_a_command_that_a_package_brings_is_rerun(tmp_path: Path, ask: Ask) -> None:
    training = "def main():\n" + textwrap.indent(
        NO_FILES.replace("from network import SIZE", "SIZE = 4"), "    "
    )
    wheel = make_wheel(tmp_path / "wheels", "trainer", files={"trainer.py": training})
    environment = Environment(tmp_path / "environment").install(str(wheel))
    beside = sysconfig.get_path("purelib")
    (environment.site_packages / "beside.pth").write_text(
        f"import site; site.addsitedir({beside!r})"
    )
    project = Project.made(tmp_path / "project")
    command = environment.folder / "bin" / "trainer"
    assert project.record(str(command), "--fast", python=environment.python).returncode == 0
    alone = Alone(project, tmp_path)
    assert (alone.command.kind, alone.command.target) == ("console", "trainer")
    words = ("rerun", alone.capsule.folder, "--env", environment.python, "--yes", "--json")
    answer = ask(*words, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert answer.data["digests"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("words", [["train.py"], ["-m", "train"]], ids=["script", "module"])
def test_what_wandb_repro_run_started_is_rerun(tmp_path: Path, ask: Ask, words: list[str]) -> None:
    project = Project.made(tmp_path / "project")
    started = ("run", "--", sys.executable, "-O", *words, "-x")
    with begun(*started, cwd=project.folder) as process:
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    alone = Alone(project, tmp_path)
    assert alone.command.launcher
    assert alone.command.interpreter_flags == ("-O",)
    alone.rerun_identical(ask)


TWO_RUNS = """\
import numpy as np

import wandb_repro
from wandb_repro.capture.weights import Variable
from wandb_repro.api import find_session
from wandb_repro.recording.trail_sink import Point

weights = np.zeros(3)
for rate in (1.0, 2.0):
    run = wandb_repro.init(project="two", config={"rate": rate})
    session = find_session(run)
    session.begin_fit(None)
    for epoch in (0, 1):
        weights += rate * np.random.normal(size=3)
        variables = [Variable("trainable", "w", weights)]
        moment = "epoch" if epoch else "initial"
        session.weights(Point(moment, session.fits, epoch, step=epoch), variables)
    session.end_fit(session.fits)
    run.finish()
"""


@pytest.mark.slow
def test_the_second_run_of_a_process_is_rerun_after_the_first(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", TWO_RUNS)
    assert project.record("train.py").returncode == 0
    first, second = (read_manifest(Capsule(one)).execution for one in project.capsules())
    assert first.seed != second.seed
    assert (first.earlier_seeds, second.earlier_seeds) == ((), (first.seed,))
    assert second.config == {"rate": 2.0}
    alone = Alone(project, tmp_path)
    answer = ask("rerun", alone.capsule.folder, *HERE, cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert (answer.data["grade"], answer.data["digests"]) == ("identical", 2)
