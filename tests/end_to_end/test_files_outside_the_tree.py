"""Runs that use more than their snapshot holds: the projects moved away, rerun from the capsule."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, one_of
from tests.support.lean import leave_only, packages_of
from tests.support.recorded import NUMBERS, Answer, Ask, Project
from tests.support.repositories import repository
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, BundleFile, Code
from wandb_repro.manifest.packages import Repacked
from wandb_repro.store.capsule import Capsule

HERE = ("--env", "here", "--yes")
LIBRARY = """\
from pathlib import Path

SIZE = int((Path(__file__).parent / "size.csv").read_text())
"""


def _bare(folder: Path, script: str = NUMBERS) -> Project:
    """Return a repository with a script, and without the module that it imports."""
    repository(folder, **{"train.py": script, ".gitignore": "wandb/\n*.txt\nlocal/\n"})
    return Project(folder)


def _library(folder: Path, **files: str) -> Path:
    """Write the package that the script imports: it reads a file of its own."""
    package = {"network/__init__.py": LIBRARY, "network/size.csv": "4", **files}
    for name, text in package.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _second_repository(folder: Path) -> Path:
    made = repository(folder, **{".gitignore": "*.log\n"})
    _library(folder)
    made.commit()
    return folder


def _recorded(project: Project, *words: str, cwd: str = ".", **environ: str) -> None:
    assert project.record(*words, cwd=cwd, stdin=subprocess.DEVNULL, **environ).returncode == 0


def _added(project: Project) -> Added:
    code = project.manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.added, Added)
    return code.added


def _rerun_alone(project: Project, tmp_path: Path, ask: Ask, *words: str, away: Path) -> Answer:
    """Move what was there away, all of it, and rerun from a copy of the capsule."""
    capsule = Capsule(tmp_path / "capsule")
    shutil.copytree(project.capsule.folder, capsule.folder)
    away.rename(tmp_path / "away")
    (tmp_path / "elsewhere").mkdir()
    return ask("rerun", capsule.folder, *HERE, *words, cwd=tmp_path / "elsewhere")


def _is_identical(answer: Answer) -> None:
    assert answer.code == 0, answer.err
    assert answer.text.startswith("identical bit for bit")


@pytest.mark.slow
def test_a_package_of_a_second_repository_on_pythonpath_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "home" / "project")
    _second_repository(tmp_path / "home" / "libraries" / "mine")
    _recorded(project, "train.py", PYTHONPATH="../libraries/mine")
    paths = [file.path for file in _added(project).files]
    assert paths == ["libraries/mine/network/__init__.py", "libraries/mine/network/size.csv"]
    _is_identical(_rerun_alone(project, tmp_path, ask, away=tmp_path / "home"))


@pytest.mark.slow
@pytest.mark.registry
def test_a_package_of_a_second_repository_that_is_installed_editable_is_rerun(
    tmp_path: Path, ask: Ask
) -> None:
    """Its code comes back as a wheel, the file that nobody committed too."""
    project = _bare(tmp_path / "home" / "project")
    own = {"src/network/__init__.py": LIBRARY, "src/network/size.csv": "4"}
    second = make_project(tmp_path / "home" / "library", "network", files=own)
    repository(second)
    (second / "src" / "network" / "__init__.py").write_text("from network.found import SIZE\n")
    (second / "src" / "network" / "found.py").write_text(LIBRARY)
    environment = Environment(tmp_path / "home" / "environment").install("--editable", str(second))
    (environment.site_packages / "beside.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
    )
    assert project.record("train.py", python=environment.python).returncode == 0
    recorded = one_of(packages_of(project.capsule), "network")
    assert recorded.origin == "editable"
    assert isinstance(recorded.repacked, Repacked)
    leave_only(project, "network")
    capsule = Capsule(tmp_path / "capsule")
    shutil.copytree(project.capsule.folder, capsule.folder)
    (tmp_path / "home").rename(tmp_path / "away")

    answer = ask("rerun", capsule.folder, "--env", "rebuild", "--yes", "--no-cache", cwd=tmp_path)

    _is_identical(answer)


@pytest.mark.slow
def test_a_folder_that_the_script_inserts_into_its_path_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = _bare(
        tmp_path / "home" / "project", f"import sys\nsys.path.insert(0, '../lib')\n{NUMBERS}"
    )
    folder = tmp_path / "home" / "lib"
    folder.mkdir()
    (folder / "network.py").write_text("SIZE = 4\n")
    (folder / "unused.py").touch()
    _recorded(project, "train.py")
    assert [file.path for file in _added(project).files] == ["lib/network.py"]
    _is_identical(_rerun_alone(project, tmp_path, ask, away=tmp_path / "home"))


@pytest.mark.slow
def test_ignored_modules_and_files_that_were_read_are_rerun(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "project", NUMBERS.replace("from network", "from local.network"))
    _library(project.folder / "local")
    (project.folder / "start.txt").write_text("0.5")
    (project.folder / "unread.txt").touch()
    _recorded(project, "train.py", "start.txt")
    added = _added(project)
    read = ["local/network/__init__.py", "local/network/size.csv", "start.txt"]
    assert [file.path for file in added.files] == read
    assert (added.top, added.known_until) == (str(project.folder), "end")
    _is_identical(_rerun_alone(project, tmp_path, ask, away=project.folder))


@pytest.mark.slow
def test_a_script_outside_the_repository_it_works_on_is_rerun(tmp_path: Path, ask: Ask) -> None:
    """Its folder is no repository and has a neighbour; the package is the repository's."""
    home = tmp_path / "home"
    project = _bare(home / "project")
    _library(project.folder)
    (project.folder / "start.txt").write_text("0.5")
    (home / "jobs").mkdir()
    script = f"import neighbour\n{NUMBERS}"
    (home / "jobs" / "job.py").write_text(script)
    (home / "jobs" / "neighbour.py").touch()
    _recorded(project, "../jobs/job.py", "start.txt", PYTHONPATH=".")
    _is_identical(_rerun_alone(project, tmp_path, ask, away=home))


@pytest.mark.slow
def test_an_archive_on_pythonpath_is_rerun(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "home" / "project")
    source = tmp_path / "source"
    source.mkdir()
    (source / "network.py").write_text("SIZE = 4\n")
    archive = shutil.make_archive(str(tmp_path / "home" / "library"), "zip", source)
    _recorded(project, "train.py", PYTHONPATH=archive)
    assert [file.path for file in _added(project).files] == ["library.zip"]
    _is_identical(_rerun_alone(project, tmp_path, ask, away=tmp_path / "home"))


@pytest.mark.slow
def test_a_rerun_is_rerun_with_all_that_was_added(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "home" / "project")
    _second_repository(tmp_path / "home" / "lib")
    _recorded(project, "train.py", PYTHONPATH="../lib")
    words = ("--json", "--dir", str(tmp_path / "first"))
    first = _rerun_alone(project, tmp_path, ask, *words, away=tmp_path / "home")
    assert first.code == 0, first.err
    capsule = tmp_path / "again"
    shutil.copytree(first.data["capsule"], capsule)
    shutil.rmtree(tmp_path / "first")
    second = ask("rerun", capsule, *HERE, cwd=tmp_path)
    assert second.code == 0, second.err


@pytest.mark.slow
def test_what_is_not_stored_is_named_and_missed_before_training(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "home" / "project", f"import keys\n{NUMBERS}")
    keys = tmp_path / "home" / "lib" / "keys.py"
    _second_repository(keys.parent)
    keys.write_text("KEY = 'ghp_" + "a1B2c3D4e5" * 4 + "'\n")
    big = project.folder / "big.txt"
    big.write_text("0.5" + " " * 11_000_000)
    _recorded(project, "train.py", "big.txt", PYTHONPATH="../lib")
    shown = ask("show", "latest", cwd=project.folder)
    assert "keys.py" in shown.text
    assert "looks like a secret (it holds a token for GitHub)" in shown.text
    answer = _rerun_alone(
        project, tmp_path, ask, "--dir", str(tmp_path / "work"), away=tmp_path / "home"
    )
    assert answer.code == 4
    assert f"not here: {keys}, {big}" in answer.error
    assert "--allow-missing" in answer.error
    assert not (tmp_path / "work").exists()
    (tmp_path / "away").rename(tmp_path / "home")
    answer = ask("rerun", tmp_path / "capsule", *HERE, cwd=tmp_path / "elsewhere")
    _is_identical(answer)


@pytest.mark.slow
def test_a_run_killed_before_training_says_what_it_does_not_know(tmp_path: Path, ask: Ask) -> None:
    kill = NUMBERS.replace("session.begin_fit(None)", "os.kill(os.getpid(), signal.SIGKILL)")
    project = _bare(tmp_path / "home" / "project", kill)
    _second_repository(tmp_path / "home" / "lib")
    ended = project.record("train.py", PYTHONPATH="../lib")
    assert ended.returncode == -signal.SIGKILL
    code = project.manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.added, Unavailable)
    assert "not known: training has not begun" in ask("show", "latest", cwd=project.folder).text


@pytest.mark.slow
def test_a_run_killed_in_training_has_what_it_used_until_then(tmp_path: Path, ask: Ask) -> None:
    project = _bare(tmp_path / "home" / "project")
    _second_repository(tmp_path / "home" / "lib")
    ended = project.record("train.py", PYTHONPATH="../lib", NUMBERS_DO="kill:2")
    assert ended.returncode == -signal.SIGKILL
    assert _added(project).known_until == "training"
    answer = _rerun_alone(project, tmp_path, ask, "--until-epoch", "2", away=tmp_path / "home")
    assert answer.code == 0, answer.err


@pytest.mark.slow
def test_a_missing_import_of_a_cut_record_is_told_plainly(tmp_path: Path, ask: Ask) -> None:
    late = NUMBERS.replace("    print(f", "    import late\n    print(f", 1)
    project = _bare(tmp_path / "home" / "project", late)
    _library(tmp_path / "home" / "lib", **{"late.py": ""})
    ended = project.record("train.py", PYTHONPATH="../lib", NUMBERS_DO="kill:2")
    assert ended.returncode == -signal.SIGKILL
    answer = _rerun_alone(project, tmp_path, ask, away=tmp_path / "home")
    assert answer.code == 5
    assert "No module named 'late'" in answer.err
    assert "what it imported after training had begun from outside its snapshot" in answer.error


@pytest.mark.slow
def test_code_kept_on_this_machine_has_what_was_added_there(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    local = NUMBERS.replace("seed=7", "seed=7, code='local'")
    project = _bare(tmp_path / "home" / "project", local)
    _second_repository(tmp_path / "home" / "lib")
    _recorded(project, "train.py", PYTHONPATH="../lib")
    bundle = _added(project).bundle
    assert isinstance(bundle, BundleFile)
    assert bundle.kept == "local"
    assert not project.capsule.added.exists()
    answer = _rerun_alone(project, tmp_path, ask, away=tmp_path / "home")
    _is_identical(answer)


@pytest.mark.slow
def test_a_module_that_is_edited_while_it_trains_is_named(tmp_path: Path, ask: Ask) -> None:
    edit = NUMBERS.replace(
        "session.end_fit(session.fits)", "Path('network.py').write_text('SIZE = 5')"
    )
    project = Project.made(tmp_path / "project", edit)
    _recorded(project, "train.py")
    assert _added(project).edited == ("network.py",)
    shown = ask("show", "latest", cwd=project.folder)
    assert "network.py changed after the snapshot" in shown.text
