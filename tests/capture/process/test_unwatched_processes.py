"""Python processes that start without our variables are noticed, others are not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from wandb_repro.capture.process.unwatched_processes import UnwatchedProcesses, unwatched
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.request import CHILDREN_VARIABLE
from wandb_repro.recording.children.handover import STARTUP_FOLDER
from wandb_repro.recording.process_state import process

OURS = {CHILDREN_VARIABLE: "{}", "PYTHONPATH": f"{STARTUP_FOLDER}:/mine"}
OURS_AS_BYTES = {os.fsencode(name): os.fsencode(value) for name, value in OURS.items()}
COMMANDS: dict[str, tuple[list[str], dict[Any, Any] | None, str]] = {
    "inherits": (["python3", "evaluate.py"], None, ""),
    "has ours in its own": (["python3", "evaluate.py"], OURS, ""),
    "has ours as bytes": (
        ["python3", "evaluate.py"],
        OURS_AS_BYTES,
        "",
    ),
    "an environment of its own": (
        ["/usr/bin/python3.11", "a/evaluate.py", "-x"],
        {},
        "evaluate.py",
    ),
    "a search path of its own": (
        ["python", "evaluate.py"],
        {**OURS, "PYTHONPATH": "/mine"},
        "evaluate.py",
    ),
    "no search path": (["python", "b.py"], {CHILDREN_VARIABLE: "{}"}, "b.py"),
    "isolated": (["python", "-I", "evaluate.py"], None, "evaluate.py"),
    "isolated, beside other options": (["python", "-uE", "evaluate.py"], None, "evaluate.py"),
    "an option with a value": (["python", "-W", "ignore", "-S", "b.py"], None, "b.py"),
    "an option joined with its value": (["python", "-WIgnore", "-XIEs", "b.py"], None, ""),
    "the script's own option": (["python", "evaluate.py", "-I"], None, ""),
    "a command": (["python", "-Ic", "print(1)"], None, "python -c"),
    "a module": (["python", "-I", "-m", "mine.evaluate"], None, "mine.evaluate"),
    "a module that trains nothing": (["python", "-Im", "pip", "list"], {}, ""),
    "the version": (["python", "-I", "--version"], {}, ""),
    "by way of another program": (["nice", "python", "evaluate.py"], {}, "evaluate.py"),
    "by a shell": (["/bin/sh", "-c", "cd /x && python3 -I evaluate.py"], None, "evaluate.py"),
    "by way of env, without our variables": (["env", "-i", "python", "b.py"], None, "b.py"),
    "by way of env, with them": (["/usr/bin/env", "A=b", "python", "b.py"], None, ""),
    "by way of env, with another path": (
        ["env", "PYTHONPATH=/mine", "nice", "python", "b.py"],
        None,
        "b.py",
    ),
    "a word of a program that starts nothing": (["grep", "python", "b.py"], {}, ""),
    "no Python": (["git", "-I", "status"], {}, ""),
    "nothing": ([], {}, ""),
    "Python alone": (["python3"], {}, ""),
}


@pytest.fixture(autouse=True)
def handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have our variables inherited by the processes that a test starts."""
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)


def test_a_search_path_that_the_script_sets_for_all_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert unwatched(["python", "evaluate.py"], None) == ""
    monkeypatch.setenv("PYTHONPATH", "/mine")
    assert unwatched(["python", "evaluate.py"], None) == "evaluate.py"


@pytest.mark.parametrize(("command", "environment", "name"), COMMANDS.values(), ids=COMMANDS)
def test_a_program_is_named_if_it_cannot_tell_us_that_it_trains(
    command: list[str], environment: dict[object, object] | None, name: str
) -> None:
    assert unwatched(command, environment) == name


@pytest.fixture
def seen() -> Iterator[UnwatchedProcesses]:
    one = UnwatchedProcesses()
    one.listen()
    yield one
    process.unwatched.listen()


def test_processes_that_are_really_started_are_noticed_in_order(seen: UnwatchedProcesses) -> None:
    python, bare = sys.executable, {"PATH": os.environ["PATH"]}
    subprocess.run([python, "-c", ""], check=True)
    subprocess.run([python, "-I", "-c", ""], check=True)
    shell = ["/bin/sh", "-c", f"{python} -S -m this"]
    subprocess.run(shell, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([python, "-c", ""], env=bare, check=True, close_fds=False)
    subprocess.run(["env", "-i", python, "-c", ""], check=True)
    subprocess.run(["grep", "python", os.devnull], env=bare, check=False)
    assert os.system(f"PYTHONPATH= {python} {os.devnull}") == 0  # noqa: S605  # pyright: ignore[reportDeprecated]
    assert seen.names.pop() == "null"
    os.waitpid(os.posix_spawn(python, [python, "-I", os.devnull], os.environ), 0)
    with unrecorded():
        subprocess.run([python, "-I", "-c", ""], check=True)
    assert seen.names == ["python -c", "this", "python -c", "python -c", "null"]


def test_what_popen_refuses_is_left_to_it() -> None:
    seen = UnwatchedProcesses()
    refused: list[tuple[Any, ...]] = [
        (),
        ("x", 3, None, None),
        ("x", [3], None, {}),
        ("x", ["python", "a"], None, 3),
    ]
    for arguments in refused:
        seen.notice("subprocess.Popen", arguments)
    assert seen.names == []
