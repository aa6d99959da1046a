from __future__ import annotations

import pytest

from wandb_repro.capture.process.python_command import python_commands

BASE = {"A": "a", "B": "b"}
STARTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "python": (["python3.11", "x.py"], BASE),
    "env": (["/usr/bin/env", "python", "x.py"], BASE),
    "env with names": (["env", "A=1", "C=", "python", "x.py"], {"A": "1", "B": "b", "C": ""}),
    "nothing kept": (["env", "-i", "python", "x.py"], {}),
    "nothing kept, in short": (["env", "-", "C=c", "python", "x.py"], {"C": "c"}),
    "nothing kept, at length": (["env", "--ignore-environment", "python", "x.py"], {}),
    "unset": (["env", "-u", "A", "python", "x.py"], {"B": "b"}),
    "unset, joined": (["env", "-uA", "--unset=B", "python", "x.py"], {}),
    "unset, at length": (["env", "--unset", "A", "python", "x.py"], {"B": "b"}),
    "letters together": (["env", "-viuA", "python", "x.py"], {}),
    "a folder": (["env", "-C", "python", "-v", "python", "x.py"], BASE),
    "split": (["env", "-S", "-i python", "x.py"], {}),
    "split, joined": (["env", "--split-string=A=1 python", "x.py"], {"A": "1", "B": "b"}),
    "no more options": (["env", "-i", "--", "python", "x.py"], {}),
    "another start": (["timeout", "-k", "5", "60", "python", "x.py"], BASE),
    "two others": (["nice", "-n", "5", "env", "-i", "python", "x.py"], {}),
    "a shell": (["sh", "-c", "cd /x && python x.py"], BASE),
    "a shell with more options": (["bash", "-l", "-euc", "exec python x.py"], BASE),
    "a shell's own names": (["sh", "-c", "A=1 python x.py"], {"A": "1", "B": "b"}),
    "names for all": (["sh", "-c", "export A=1; unset B; python x.py"], {"A": "1"}),
    "a shell in env": (["env", "-i", "sh", "-c", "(python x.py)"], {}),
}


@pytest.mark.parametrize(("command", "environment"), STARTS.values(), ids=STARTS)
def test_the_program_and_its_environment_are_found(
    command: list[str], environment: dict[str, str]
) -> None:
    (found,) = python_commands(command, BASE)

    assert list(found.arguments) == ["x.py"]
    assert found.environment == environment


@pytest.mark.parametrize(
    "command",
    [
        *(["grep", "python", "x.py"], ["env", "-i", "grep", "python", "x.py"], ["which", "python"]),
        *(["sh", "-c", "echo python x.py | grep python"], ["sh", "x.sh"], ["sh", "-c"]),
        *(["env"], ["env", "-u"], ["env", "A=1"], ["env", "-S"], []),
    ],
)
def test_a_command_that_starts_no_python_has_none(command: list[str]) -> None:
    assert list(python_commands(command, BASE)) == []


def test_each_command_of_a_shell_counts() -> None:
    found = python_commands(["sh", "-c", "A=1 python a.py && python b.py"], None)

    assert [(each.arguments, each.environment is None) for each in found] == [
        (["a.py"], False),
        (["b.py"], True),
    ]
