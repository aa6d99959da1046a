from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_shell import FakeShell
from wandb_repro.capture.process.command_line import parse
from wandb_repro.capture.process.start_folder import folder_of_command, folder_of_notebook


@pytest.mark.parametrize(
    ("line", "main_file", "folder"),
    [
        ("python train.py", "/project/train.py", "/project"),
        ("python ./train.py", "/project/train.py", "/project"),
        ("python jobs/train.py", "/project/jobs/train.py", "/project"),
        ("python ../train.py", "/project/src/../train.py", "/project/src"),
        ("python train.py", "/train.py", "/"),
        ("python app", "/project/app/__main__.py", "/project"),
        ("python app/", "/project/app/__main__.py", "/project"),
        ("python app.pyz", "/project/app.pyz/__main__.py", "/project"),
        ("python /project/train.py", "/project/train.py", "/now"),
        ("python train.py", "/project/another.py", "/now"),
        ("python train.py", "", "/now"),
        ("python -c pass", "", "/now"),
        ("python -m wandb_repro.launch train.py", "/project/train.py", "/now"),
    ],
)
def test_a_script_started_where_its_absolute_name_without_the_target_ends(
    line: str, main_file: str, folder: str
) -> None:
    found = parse(line.split())
    assert (
        folder_of_command(found, now="/now", main_file=main_file, shell_folder="", search_path=())
        == folder
    )


@pytest.mark.parametrize(
    ("shell_folder", "search_path", "main_file", "folder"),
    [
        ("/now", ["/now", "/lib"], "/now/digits/train.py", "/now"),
        ("/project", ["/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/project", ["/mine", "/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/parent", ["/project", "/lib"], "/project/digits/train.py", "/project"),
        ("/project", ["/project", "/lib"], "/lib/digits/train.py", "/now"),
        ("", [], "", "/now"),
    ],
)
def test_a_module_started_in_the_folder_that_python_searches_first(
    shell_folder: str, search_path: list[str], main_file: str, folder: str
) -> None:
    found = parse(["python", "-m", "digits.train"])
    began = folder_of_command(
        found, now="/now", main_file=main_file, shell_folder=shell_folder, search_path=search_path
    )
    assert began == folder


def test_a_notebook_started_in_the_first_folder_of_its_history() -> None:
    assert folder_of_notebook({}) == ""
    assert folder_of_notebook(FakeShell().modules) == "/project/notebooks"


def test_a_script_that_changed_its_folder_is_still_known_by_where_it_started(
    tmp_path: Path,
) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "train.py").write_text(
        "import os; os.chdir('/')\n"
        "from wandb_repro.capture.process.start_folder import start_folder\n"
        "print(start_folder())\n"
    )
    root = Path(__file__).resolve().parents[3]
    printed = subprocess.run(
        [sys.executable, "jobs/train.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert printed.strip() == os.path.realpath(tmp_path)
