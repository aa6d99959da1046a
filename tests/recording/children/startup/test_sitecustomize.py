"""Processes of Python start as without us, and note it once one of them trains."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wandb_repro.manifest.request import CHILDREN_VARIABLE
from wandb_repro.recording.children.child_lines import lines_in
from wandb_repro.recording.children.handover import STARTUP_FOLDER

OPTAX = """
def apply_updates(parameters, updates):
    return parameters + updates
"""


class World:
    """A folder with a library that trains, and a process whose parent is recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "training"
        (folder / "library").mkdir()
        (folder / "library" / "optax.py").write_text(OPTAX)

    def run(self, text: str, *flags: str, parent: int = 1, file: str = "") -> str:
        given = {"pid": parent, "file": file or str(self.notes)}
        path = os.pathsep.join([STARTUP_FOLDER, str(self.folder / "library")])
        ended = subprocess.run(
            [sys.executable, *flags, "-c", text],
            env={"PYTHONPATH": path, CHILDREN_VARIABLE: json.dumps(given)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.stderr == ""
        return ended.stdout.strip()

    def trained(self) -> list[str]:
        return [line["name"] for line in lines_in(str(self.notes)) if "trained" in line]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_process_that_trains_says_so_and_computes_as_without_us(world: World) -> None:
    out = world.run("import optax; print(optax.apply_updates(1, 2), optax.apply_updates(3, 4))")
    assert out == "3 7"
    assert world.trained() == ["python -c"]


def test_one_that_only_imports_a_framework_says_nothing(world: World) -> None:
    text = "import importlib.util as u, optax; u.find_spec('torch'); print(optax.__loader__)"
    assert "SourceFileLoader" in world.run(text)
    assert not world.notes.exists()


def test_neither_the_search_path_nor_the_modules_show_us(world: World) -> None:
    text = "import sys; print(sys.path[1:], [m for m in sys.modules if m.startswith('wandb')])"
    out = world.run(text)
    assert STARTUP_FOLDER not in out
    assert "[]" in out
    with_optax = world.run("import sys, optax; print(sys.modules['optax'].__spec__.loader)")
    assert "SourceFileLoader" in with_optax


def test_the_users_own_sitecustomize_is_imported_as_without_us(world: World) -> None:
    (world.folder / "library" / "sitecustomize.py").write_text("MINE = 7\n")
    out = world.run("import sitecustomize; print(sitecustomize.MINE, sitecustomize.__file__)")
    assert out == f"7 {world.folder / 'library' / 'sitecustomize.py'}"


def test_the_file_of_a_parent_that_is_gone_does_not_matter(world: World) -> None:
    out = world.run("import optax; print(optax.apply_updates(1, 2))", file="/nowhere/training")
    assert out == "3"


def test_a_process_that_replaced_itself_is_its_own_parent(world: World) -> None:
    text = (
        f"import json, os, sys; given = json.loads(os.environ[{CHILDREN_VARIABLE!r}]);"
        f"os.environ[{CHILDREN_VARIABLE!r}] = json.dumps({{**given, 'pid': os.getpid()}});"
        "train = 'import optax; optax.apply_updates(1, 2)';"
        "os.execv(sys.executable, [sys.executable, '-c', train])"
    )
    world.run(text)
    assert world.trained() == []


def test_without_site_there_is_no_trace_and_no_error(world: World) -> None:
    assert world.run("print(1)", "-S") == "1"
    assert world.run("print(1)", "-I") == "1"
