"""The main function of a fresh process, called in this one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest
from wandb_repro.testing import fresh_child
from wandb_repro.testing.fresh_task import FAILURE, INSIDE, Task
from wandb_repro.testing.target import Target

MODULE = """
import sys
def passes(): print("trained with", sys.argv)
def fails(): return helper()
def helper(): raise ValueError("planted")
def exits(): sys.exit(0)
def gives_up(): sys.exit(2)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    def nothing(*_: object) -> None: ...

    monkeypatch.setattr(fresh_child, "after_import", nothing)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    monkeypatch.setitem(os.environ, INSIDE, "")
    (tmp_path / "module_of_a_child.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("module_of_a_child", None)


def child(folder: Path, name: str) -> str:
    """Train, and return how the record says that it ended."""
    target = Target(
        module="module_of_a_child",
        file=str(folder / "module_of_a_child.py"),
        name=name,
        arguments=[],
        keywords={},
    )
    task = Task(
        target=target,
        search=[str(folder), *sys.path],
        folder=str(folder),
        who="me",
        seed=None,
        deterministic=None,
    )
    (folder / "task.json").write_text(task.model_dump_json())
    try:
        fresh_child.main(str(folder / "task.json"))
    finally:
        ending = read_manifest(Capsule(folder)).ending
    return getattr(ending, "status", "")


def test_a_training_that_returns_is_finished_and_sees_its_own_file_as_argv(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert child(folder, "passes") == "finished"
    assert capsys.readouterr().out == f"trained with ['{folder}/module_of_a_child.py']\n"
    assert os.environ[INSIDE] == "1"


def test_an_exception_is_printed_from_the_training_on_and_left_in_a_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        child(folder, "fails")
    assert caught.value.code == 1
    printed = capsys.readouterr().err
    assert "in helper" in printed
    assert "fresh_child" not in printed
    assert (folder / FAILURE).read_text() == "ValueError: planted"
    assert getattr(read_manifest(Capsule(folder)).ending, "status", "") == "failed"


@pytest.mark.parametrize(("name", "status"), [("exits", "finished"), ("gives_up", "failed")])
def test_an_exit_passes_and_its_code_says_how_it_ended(
    folder: Path, name: str, status: str
) -> None:
    with pytest.raises(SystemExit):
        child(folder, name)
    assert getattr(read_manifest(Capsule(folder)).ending, "status", "") == status
