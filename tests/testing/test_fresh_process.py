"""Fresh processes that train without any framework: only how they start and end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wandb_repro.errors import UsageError
from wandb_repro.testing.fresh_process import Processes
from wandb_repro.testing.fresh_task import INSIDE
from wandb_repro.testing.target import Target

TRAINING = """
import os, signal, sys, time
from pathlib import Path

def train(*given):
    print("environment", os.environ["WANDB_MODE"], "WANDB_RUN_ID" in os.environ)

def fails(*given):
    print("the last words")
    raise ValueError("planted")

def exits(*given):
    sys.exit(3)

def is_killed(folder):
    (folder / "saved").write_text("1")
    os.kill(os.getpid(), signal.SIGKILL)

def takes_long(*given):
    print("waiting", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "training_of_somebody.py").write_text(TRAINING)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    yield tmp_path
    sys.modules.pop("training_of_somebody", None)


def processes(folder: Path, name: str, *, timeout_s: float = 60) -> Processes:
    target = Target(
        module="training_of_somebody",
        file=str(folder / "training_of_somebody.py"),
        name=name,
        arguments=[],
        keywords={},
    )
    return Processes(target, folder, seed=None, deterministic=None, timeout_s=timeout_s)


def failure(folder: Path, name: str, *, timeout_s: float = 60) -> str:
    with pytest.raises(AssertionError) as caught:
        processes(folder, name, timeout_s=timeout_s).train("the first process")
    return str(caught.value)


def test_what_was_recorded_is_returned_and_nothing_is_published(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "of-another-run")
    recorded = processes(folder, "train").train("the first process")
    assert recorded.manifest.run.id == "the first process"
    assert recorded.trail.end is not None
    printed = (recorded.capsule.folder / "printed.txt").read_text()
    assert printed == "environment disabled False\n"


def test_a_training_that_raises_is_shown_with_its_last_words(folder: Path) -> None:
    message = failure(folder, "fails")
    assert message.startswith(
        "training_of_somebody:fails failed in a fresh process (the first process): "
        "ValueError: planted\n"
    )
    assert "  the last words\n" in message
    assert "fresh_child.py" not in message


def test_an_exit_code_is_named(folder: Path) -> None:
    assert "(the first process): it ended with 3." in failure(folder, "exits")


def test_a_training_that_takes_too_long_is_ended(folder: Path) -> None:
    message = failure(folder, "takes_long", timeout_s=1)
    assert "did not end within 1 s" in message
    assert "give timeout_s=" in message


def test_a_process_that_kills_itself_leaves_its_files(folder: Path) -> None:
    (folder / "checkpoints").mkdir()
    processes(folder, "is_killed").train_until_killed(
        "to be killed", checkpoints=folder / "checkpoints", after=1
    )
    assert (folder / "checkpoints" / "saved").read_text() == "1"


def test_a_process_that_was_to_be_killed_and_ended_is_a_failure(folder: Path) -> None:
    with pytest.raises(AssertionError, match="it ended with 0"):
        processes(folder, "train").train_until_killed("to be killed", checkpoints=folder, after=1)


def test_a_fresh_process_starts_no_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, INSIDE, "1")
    with pytest.raises(UsageError, match="Call it in a test"):
        processes(folder, "train")
