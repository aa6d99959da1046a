"""Finds the Python programs that a command starts, by ``env``, a shell, ``nice`` and the like."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

Environment: TypeAlias = Mapping[str, str] | None
"""None: that of this process."""

_PYTHON = re.compile(r"python[\d.]*")
_SHELL = re.compile(r"(ba|da|z|k|fi)?sh")
_TEXT_FOLLOWS = re.compile(r"-[a-z]*c")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_BETWEEN = re.compile(r"&&|\|\||[;&|\n()]")
"""What separates the commands of a shell's text."""

_START_NOTHING = frozenset(
    {
        *("grep", "egrep", "fgrep", "zgrep", "rg", "ag", "ack", "pgrep", "pkill", "killall", "ps"),
        *("which", "whereis", "type", "hash", "man", "info", "apropos", "locate"),
        *("echo", "printf", "cat", "head", "tail", "less", "more", "wc", "sort", "diff", "file"),
        *("sed", "awk", "cut", "tr", "tee", "ls", "find", "du", "stat", "test", "[", "readlink"),
        *("cp", "mv", "rm", "ln", "mkdir", "touch", "chmod", "chown", "tar", "zip", "unzip"),
        *("git", "pip", "pip3", "apt", "apt-get", "dpkg", "rpm", "dnf", "yum", "brew", "ldd"),
    }
)
"""Programs that only read or write a name such as ``python``. Others may start what they name."""

_ENV_VALUE = {"u": "unset", "C": "chdir", "S": "split-string", "a": "argv0"}
"""Options of ``env`` that have a value. Source: GNU coreutils 9.5; BSD and busybox have a part."""


class PythonCommand(NamedTuple):
    """A Python program that a command starts."""

    arguments: Sequence[str]
    """Of Python, options included."""
    environment: Environment


def python_commands(
    command: Sequence[str], environment: Environment, *, in_shell: bool = False
) -> Iterator[PythonCommand]:
    """Yield the Python programs that a command starts.

    Args:
        command: words, as the process gets them.
        environment: of the process.
        in_shell: whether a shell reads the command: then it may begin with ``NAME=VALUE``.

    Example:
        >>> list(python_commands(["env", "-i", "nice", "python3", "x.py"], None))
        [PythonCommand(arguments=['x.py'], environment={})]
    """
    words = list(command)
    assigns = in_shell
    while words:
        word, words = words[0], words[1:]
        name = os.path.basename(word)  # noqa: PTH119 - not a path of this machine
        if assigns and (found := _ASSIGNMENT.fullmatch(word)):
            environment = {**_present(environment), found[1]: found[2]}
            continue
        assigns = name == "env"
        if assigns:
            words, environment = _through_env(words, environment)
        elif _PYTHON.fullmatch(name):
            yield PythonCommand(words, environment)
            return
        elif _SHELL.fullmatch(name) and (text := _text_of_shell(words)):
            yield from _in_text(text, environment)
            return
        elif name in _START_NOTHING:
            return


def _in_text(text: str, environment: Environment) -> Iterator[PythonCommand]:
    for part in _BETWEEN.split(text):
        first, *words = part.split() or [""]
        if first == "export":
            given = [found for word in words if (found := _ASSIGNMENT.fullmatch(word))]
            new = {str(found[1]): str(found[2]) for found in given}
            environment = {**_present(environment), **new}
        elif first == "unset":
            environment = _without(words, environment)
        else:
            yield from python_commands([first, *words], environment, in_shell=True)


def _without(names: Sequence[str], environment: Environment) -> Environment:
    return {name: value for name, value in _present(environment).items() if name not in names}


def _present(environment: Environment) -> Mapping[str, str]:
    return os.environ if environment is None else environment


def _text_of_shell(words: Sequence[str]) -> str:
    """Return what a shell with these arguments reads; empty if it reads a file."""
    for at, word in enumerate(words[:-1]):
        if _TEXT_FOLLOWS.fullmatch(word):
            return words[at + 1]
        if not word.startswith("-"):
            break
    return ""


def _through_env(words: list[str], environment: Environment) -> tuple[list[str], Environment]:
    """Return what follows the options of ``env``, and the environment after them."""
    while words and words[0].startswith("-"):
        word, words = words[0], words[1:]
        if word in ("-", "--ignore-environment"):
            environment = {}
        elif word == "--":
            break
        elif word.startswith("--"):
            name, joined, value = word[2:].partition("=")
            if name in _ENV_VALUE.values() and not joined:
                value, words = words[0] if words else "", words[1:]
            words, environment = _with_value(name, value, words, environment)
        else:
            words, environment = _through_letters(word[1:], words, environment)
    return words, environment


def _through_letters(
    letters: str, words: list[str], environment: Environment
) -> tuple[list[str], Environment]:
    for at, letter in enumerate(letters):
        if letter == "i":
            environment = {}
        elif letter in _ENV_VALUE:
            value = letters[at + 1 :]
            if not value:
                value, words = words[0] if words else "", words[1:]
            return _with_value(_ENV_VALUE[letter], value, words, environment)
    return words, environment


def _with_value(
    option: str, value: str, words: list[str], environment: Environment
) -> tuple[list[str], Environment]:
    if option == "unset":
        environment = _without([value], environment)
    elif option == "split-string":
        words = [*shlex.split(value), *words]
    return words, environment
