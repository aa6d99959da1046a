from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

import pytest

from wandb_repro.recording.children.child_lines import (
    TrainingLines,
    append,
    lines_in,
    own_name,
    size_of,
    worker_name,
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "training")


def test_lines_of_this_process_are_read_back_from_where_one_asks(file: str) -> None:
    assert (list(lines_in(file)), size_of(file)) == ([], 0)
    append(file, run="p/abc")
    second = size_of(file)
    append(file, trained=True)

    first, _ = lines_in(file)
    assert first == {"pid": os.getpid(), "name": own_name(), "run": "p/abc"}
    assert [line["trained"] for line in lines_in(file, second)] == [True]


def test_what_is_no_line_is_passed_over(file: str) -> None:
    Path(file).write_bytes(b'{"pid": 1, "trained": true}\n[1]\n{"pid": 2, "tra')
    assert [line["pid"] for line in lines_in(file)] == [1]


def test_a_folder_that_is_gone_and_a_link_in_its_place_are_no_error(tmp_path: Path) -> None:
    append(str(tmp_path / "gone" / "training"), trained=True)
    other = tmp_path / "other"
    (tmp_path / "link").symlink_to(other)
    append(str(tmp_path / "link"), trained=True)
    assert not other.exists()


def test_a_long_training_writes_a_line_a_second_and_later_two_a_minute(
    file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    lines = TrainingLines(file)
    for _ in range(10):
        lines()
    assert len(list(lines_in(file))) == 1
    for _ in range(200):
        now += 1.0
        lines()
    assert 100 <= len(list(lines_in(file))) <= 106


def test_a_process_is_named_after_its_script_or_as_multiprocessing_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["/home/ada/evaluate.py", "--fold", "2"])
    assert (own_name(), worker_name()) == ("evaluate.py", "")
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert own_name() == "python -c"
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {})
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "SpawnProcess-2")
    assert (own_name(), worker_name()) == ("SpawnProcess-2", "SpawnProcess-2")
