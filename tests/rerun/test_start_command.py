"""The command line that starts a rerun's training."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import changed, full_manifest
from wandb_repro.capture.process.notebook import RUNNER
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.command import Command
from wandb_repro.rerun.start_command import StartCommand, credentials_of, start_command

CODE = Path("/new/tree/digits")


def command(**changes: object) -> Command:
    """Return ``python train.py`` with some of its fields changed."""
    simple = {
        "kind": "script",
        "target": "train.py",
        "arguments": (),
        "redacted": (),
        "interpreter_flags": (),
        "launcher": False,
        **changes,
    }
    manifest = changed(
        full_manifest(), {f"execution.command.{name}": value for name, value in simple.items()}
    )
    assert isinstance(manifest.execution.command, Command)
    return manifest.execution.command


def start(made: Command, cwd: Path = CODE) -> StartCommand:
    return start_command(made, "/home/ada/digits", code=CODE, cwd=cwd, cells=Path("/new/c.json"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ("train.py",)),
        ({"target": "-train.py"}, ("./-train.py",)),
        ({"kind": "module", "target": "pkg.train"}, ("-m", "pkg.train")),
        ({"kind": "code", "target": "print(1)"}, ("-c", "print(1)")),
        ({"kind": "notebook", "target": "a.ipynb"}, ("-m", RUNNER, "/new/c.json", "a.ipynb")),
        ({"launcher": True}, ("-m", "wandb_repro.launch", "train.py")),
        ({"interpreter_flags": ("-O", "-X", "utf8")}, ("-O", "-X", "utf8", "train.py")),
        ({"interpreter_flags": ("-X", "pycache_prefix=/tmp")}, ("train.py",)),
        ({"arguments": ("--at=/home/ada/digits/x",)}, ("train.py", f"--at={CODE}/x")),
    ],
)
def test_each_kind_is_started_as_it_was(changes: dict[str, object], words: tuple[str, ...]) -> None:
    assert start(command(**changes)).words == words


def test_a_script_is_named_as_its_working_directory_sees_it() -> None:
    assert start(command(target="jobs/train.py"), CODE / "jobs").words == ("train.py",)
    assert start(command(), CODE.parent / "runs").words == ("../digits/train.py",)


def test_the_places_of_what_is_filled_in_later_are_told() -> None:
    made = start(
        command(kind="console", target="trainer", interpreter_flags=("-O",), arguments=("--a",))
    )
    assert made == StartCommand(("-O", "trainer", "--a"), own_arguments_at=2, console_place=1)
    assert start(command()).console_place is None


@pytest.mark.parametrize(
    "changes",
    [
        {"target": "/usr/bin/crontab"},
        {"target": "../x.py"},
        {"kind": "module", "target": "--help"},
        {"kind": "module", "target": ""},
        {"kind": "console", "target": "../../bin/sh"},
        {"kind": "console", "target": "-c"},
        {"interpreter_flags": ("-c", "import os")},
        {"interpreter_flags": ("-Om", "http.server")},
        {"arguments": ("a\0b",)},
    ],
)
def test_a_command_that_would_start_something_else_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RefusedError):
        start(command(**changes))


CUT = {"arguments": ("--key", "<redacted>", "u:<redacted>@h", "<redacted>,<redacted>")}


def test_credentials_take_the_place_of_what_was_cut_out() -> None:
    made = command(**CUT, redacted=(1, 2, 3))
    found = credentials_of(made, {1: "k", 2: "p", 3: "a,b"}, ask=True)
    assert found == {1: "k", 2: "u:p@h", 3: "a,b"}


def test_credentials_that_are_not_given_are_asked_for_all_at_once() -> None:
    made = command(**CUT, redacted=(1, 2))
    with pytest.raises(RefusedError) as caught:
        credentials_of(made, {}, ask=True)
    assert caught.value.hint.endswith("--arg 1=VALUE --arg 2=VALUE")
    assert credentials_of(made, {}, ask=False) == {}


def test_a_value_for_an_argument_that_is_recorded_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="Argument 0 was not removed"):
        credentials_of(command(**CUT, redacted=(1,)), {0: "x"}, ask=True)
