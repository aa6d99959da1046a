from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project, begun
from wandb_repro.manifest.command import Command

PLAIN = """\
import os
import sys

import wandb
import wandb_repro
from wandb_repro.capture.weights import Variable
from wandb_repro.api import find_session
from wandb_repro.recording.trail_sink import Point

run = wandb.init(project="plain")
import numpy as np

session = find_session(run)
weights = np.random.normal(size=3) * float(sys.argv[2])
session.begin_fit(None)
session.weights(Point("initial", 1, 0, 0), [Variable("trainable", "w", weights)])
session.weights(Point("final", 1, 1, 1), [Variable("trainable", "w", weights + 1)])
session.end_fit(session.fits)
"""


class Started(Exception):  # noqa: N818 - it stands for a success
    """Stands for the process that would have taken our place."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__()
        self.words = list(words)
        self.environment = environment


def _started(ask: Ask, monkeypatch: pytest.MonkeyPatch, *words: str, **environ: str) -> Started:
    def exec_(path: str, words: Sequence[str], environment: Mapping[str, str]) -> None:
        assert path == words[0]
        raise Started(words, environment)

    monkeypatch.setattr(os, "execve", exec_)
    with pytest.raises(Started) as caught:
        ask("run", *words, cwd=Path("/"), **environ)
    return caught.value


LAUNCH = ["-m", "wandb_repro.launch"]


@pytest.mark.parametrize(
    ("words", "started"),
    [
        (["train.py", "--lr", "1"], [*LAUNCH, "train.py", "--lr", "1"]),
        ([sys.executable, "train.py"], [*LAUNCH, "train.py"]),
        (
            [sys.executable, "-O", "-X", "dev", "-m", "pkg"],
            ["-O", "-X", "dev", *LAUNCH, "-m", "pkg"],
        ),
        ([sys.executable, "-c", "print(1)", "x"], [*LAUNCH, "-c", "print(1)", "x"]),
    ],
)
def test_a_command_is_started_by_the_launcher(
    words: list[str], started: list[str], ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _started(ask, monkeypatch, "--", *words).words == [sys.executable, *started]


def test_options_after_the_command_are_the_commands_own(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _started(ask, monkeypatch, "--seed", "5", "train.py", "--seed", "9", "--help")
    assert found.words[3:] == ["train.py", "--seed", "9", "--help"]
    assert found.environment["WANDB_REPRO_OPTIONS"] == '{"seed":5}'


def test_what_must_be_set_before_a_framework_is_imported_is_set(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _started(ask, monkeypatch, "train.py").environment
    assert found["TF_NUM_INTRAOP_THREADS"] == str(len(os.sched_getaffinity(0)))
    assert found["PYTHONHASHSEED"] == "0"
    own = {"TF_NUM_INTRAOP_THREADS": "3", "PYTHONHASHSEED": "random"}
    found = _started(ask, monkeypatch, "train.py", **own).environment
    assert {name: found[name] for name in own} == own


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "No command to run"),
        (["--", "/bin/sh", "train.sh"], "'/bin/sh' is not a Python command"),
        (["--", "no-such-python", "train.py"], "'no-such-python' is not a Python command"),
        (["--", sys.executable], "names no script"),
        (["--", sys.executable, "-O"], "names no script"),
    ],
)
def test_a_command_that_cannot_be_recorded_is_wrong_use(
    words: list[str], sentence: str, tmp_path: Path, ask: Ask
) -> None:
    answer = ask("run", *words, cwd=tmp_path)
    assert answer.code == 2
    assert sentence in answer.error


def test_an_unchanged_script_is_recorded_and_rerun(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", PLAIN)
    words = ("run", "--seed", "11", "--", sys.executable, "train.py", "--scale", "2")
    with begun(*words, cwd=project.folder) as process:
        _, errors = process.communicate(timeout=100)
    assert process.returncode == 0, errors
    command = project.manifest.execution.command
    assert isinstance(command, Command)
    assert command.launcher
    assert command.arguments == ("--scale", "2")
    assert project.manifest.execution.seed == "11"
    answer = ask("rerun", "latest", "--env", "here", "--yes", "--json", cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["digests"] == 2
