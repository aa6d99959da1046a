"""What is said of child processes in the record of their parent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wandb_repro.recording.children.child_training import ChildTraining
from wandb_repro.recording.children.handover import withdraw
from wandb_repro.recording.process_state import process


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(process, "sessions", {})
    monkeypatch.setattr(process.unwatched, "names", [])
    process.children_file = str(tmp_path / "training")
    yield tmp_path / "training"
    process.children_file = ""
    withdraw()


def write(file: Path, number: int, name: str, **fields: Any) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps({"pid": number, "name": name, **fields}) + "\n")


def test_without_a_child_that_trains_nothing_is_said(file: Path) -> None:
    children = ChildTraining()
    assert children.notes() == ()
    write(file, 1, "evaluate.py", run="p/a")
    assert children.notes() == ()


def test_one_child_is_named_with_what_to_do(file: Path) -> None:
    children = ChildTraining()
    for _ in range(3):
        write(file, 1, "LokyProcess-1", trained=True)
    assert children.notes() == (
        "a child process (LokyProcess-1) trained and was not compared: call wandb_repro.init in "
        "it, or wandb_repro.watch",
    )


def test_many_children_are_counted_and_some_are_named(file: Path) -> None:
    children = ChildTraining()
    for number in range(6):
        write(file, number, f"SpawnProcess-{6 - number}", trained=True)
    (note,) = children.notes()
    assert note.startswith(
        "each of 6 child processes (SpawnProcess-1, SpawnProcess-2, SpawnProcess-3, SpawnProcess-4 "
        "and 2 more) trained"
    )


def test_records_of_children_are_named_so_that_they_can_be_compared(file: Path) -> None:
    children = ChildTraining()
    write(file, 1, "SpawnProcess-1", run="p/aaa")
    write(file, 1, "SpawnProcess-1", trained=True)
    write(file, 2, "SpawnProcess-2", trained=True)
    without, own = children.notes()
    assert "(SpawnProcess-2)" in without
    assert own == (
        "child processes have records of their own, which were not compared here (SpawnProcess-1: "
        "p/aaa): compare each with that of the other run, with wandb-repro verify"
    )


def test_what_trained_before_the_first_run_of_the_process_counts(file: Path) -> None:
    write(file, 1, "SpawnProcess-1", trained=True)
    assert len(ChildTraining().notes()) == 1


def test_a_worker_that_trained_for_an_earlier_run_does_not_count(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "skipped", 1)
    write(file, 1, "LokyProcess-1", trained=True)
    later = ChildTraining()
    assert later.notes() == ()
    write(file, 1, "LokyProcess-1", trained=True)
    assert len(later.notes()) == 1


def test_programs_that_could_not_be_watched_are_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process.unwatched, "names", ["before.py"])
    monkeypatch.setattr(type(process), "begun", 1)
    training = ChildTraining()
    process.unwatched.names += ["evaluate.py", "evaluate.py", "score.py"]
    assert training.notes() == (
        "the script started evaluate.py, score.py with an environment of its own or with -I, -E "
        "or -S, so whether that trained is not known: pass env={**os.environ, ...} and keep what "
        "PYTHONPATH has",
    )
