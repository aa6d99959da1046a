"""The command line of a Python interpreter, split into its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

LAUNCHER = "wandb_repro.launch"
"""The module that ``wandb-repro run`` starts a script with."""

Kind = Literal["script", "module", "code", "stdin", "interactive"]

WITH_VALUE = frozenset("WX")
LONG_WITH_VALUE = frozenset({"--check-hash-based-pycs"})
ENDS_OPTIONS: dict[str, Kind] = {"c": "code", "m": "module"}
DROPPED = frozenset("i")
"""``-i`` waits at a prompt after the script has ended, which a rerun cannot do."""
IGNORE_ENVIRONMENT = frozenset({"-E", "-I"})
"""With either of these an interpreter ignores ``PYTHON...`` variables."""


@dataclass(frozen=True)
class Invocation:
    """The parsed command line of an interpreter.

    Attributes:
        flags: options of the interpreter; the value of an option is the next item.
        kind: how the code was given.
        target: file, module or source text; empty at a prompt.
        arguments: the script's own arguments.
        launcher: whether ``wandb-repro run`` started it.
    """

    flags: tuple[str, ...]
    kind: Kind
    target: str
    arguments: tuple[str, ...]
    launcher: bool = False

    @property
    def ignores_environment(self) -> bool:
        """Whether the interpreter ignores ``PYTHON...`` variables."""
        return not IGNORE_ENVIRONMENT.isdisjoint(self.flags)


def ignores_environment(command_line: Sequence[str]) -> bool:
    """Return whether ``-E`` or ``-I`` makes this interpreter ignore ``PYTHON...`` variables."""
    return parse(command_line).ignores_environment


def parse(command_line: Sequence[str]) -> Invocation:
    """Split ``python [options] [-c TEXT | -m NAME | FILE | -] [arguments]``.

    ``python -Wd -m wandb_repro.launch train.py --lr 1`` has the flags ``("-W", "d")``, the script
    ``train.py``, its arguments ``("--lr", "1")``, and ``launcher=True``.

    Source: CPython 3.10 to 3.14, Python/getopt.c and "Command line and environment".
    """
    parsed = _parse(tuple(command_line[1:]))
    if parsed.kind == "module" and parsed.target == LAUNCHER:
        return replace(_parse(parsed.arguments), flags=parsed.flags, launcher=True)
    return parsed


def _parse(words: tuple[str, ...]) -> Invocation:
    flags: list[str] = []
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--"):
        word, rest = words[at], words[at + 1 :]
        if word.startswith("--"):
            taken = _long_option(word, rest)
            flags += taken
            at += len(taken)
            continue
        switches, ending, value = _split_cluster(word)
        flags += [f"-{switch}" for switch in switches]
        if ending and not value:
            value, rest, at = (rest[0] if rest else ""), rest[1:], at + 1
        at += 1
        if ending in ENDS_OPTIONS:
            return Invocation(tuple(flags), ENDS_OPTIONS[ending], value, rest)
        if ending:
            flags += [f"-{ending}", value]
    return _file(tuple(flags), words[at:])


def _long_option(word: str, rest: tuple[str, ...]) -> tuple[str, ...]:
    return (word, rest[0]) if word in LONG_WITH_VALUE and rest else (word,)


def _split_cluster(word: str) -> tuple[str, str, str]:
    """Return switches, the letter that takes a value, and the value attached to it.

    ``-Im`` is ``I``, ``m`` and ``""``; ``-OWignore`` is ``O``, ``W`` and ``ignore``.
    """
    for at, letter in enumerate(word[1:], start=1):
        if letter in WITH_VALUE or letter in ENDS_OPTIONS:
            return _kept(word[1:at]), letter, word[at + 1 :]
    return _kept(word[1:]), "", ""


def _kept(switches: str) -> str:
    return "".join(switch for switch in switches if switch not in DROPPED)


def _file(flags: tuple[str, ...], words: tuple[str, ...]) -> Invocation:
    if words[:1] == ("--",):
        words = words[1:]
    if not words:
        return Invocation(flags, "interactive", "", ())
    kind: Kind = "stdin" if words[0] == "-" else "script"
    return Invocation(flags, kind, words[0], words[1:])
