"""In which folder the process began, though it may have gone elsewhere since.

A command line of the Python interpreter, taken apart.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["LAUNCHER", "Invocation", "began_in", "parse"]


def began_in(
    found: Invocation, *, now: str, main_file: str, told: str, search_path: Sequence[str]
) -> str:
    """Return the working directory that the interpreter was started in, as far as it shows.

    Args:
        found: what the interpreter was told to do.
        now: the working directory as it is.
        main_file: ``__file__`` of ``__main__``, empty where it has none. Python makes it absolute
            when it starts a script. Source: CPython 3.9, "What's New", ``__file__``.
        told: the variable ``PWD``: a shell sets it, ``os.chdir`` does not.
        search_path: ``sys.path``; ``-m`` puts the folder first, absolute.
    """
    if found.launcher:
        return now  # the launcher imports us before the script begins
    if found.kind == "script" and not os.path.isabs(found.target):  # noqa: PTH117
        return _before(main_file, found.target) or now
    if found.kind == "module" and now not in search_path:
        likely = [told] if told in search_path else list(search_path[:1])
        inside = found.target.replace(".", "/")
        return next((one for one in likely if main_file.startswith(f"{one}/{inside}")), now)
    return now


def _before(main_file: str, target: str) -> str:
    """Return what stands before the script's name; of a folder, its ``__main__.py`` runs."""
    ending = "/" + target.removeprefix("./").rstrip("/")
    for path in (main_file, os.path.dirname(main_file)):  # noqa: PTH120
        if path.startswith("/") and path.endswith(ending):
            return path.removesuffix(ending) or "/"
    return ""


LAUNCHER = "wandb_repro.launch"
"""The module through which ``wandb-repro run`` starts a script."""

Kind = Literal["script", "module", "code", "stdin", "interactive"]

WITH_VALUE = frozenset("WX")
LONG_WITH_VALUE = frozenset({"--check-hash-based-pycs"})
ENDS_OPTIONS: dict[str, Kind] = {"c": "code", "m": "module"}
DROPPED = frozenset("i")
"""``-i`` waits at a prompt when the script has ended: not a thing a rerun can do."""


@dataclass(frozen=True)
class Invocation:
    """What an interpreter was told to do.

    Attributes:
        flags: options of the interpreter; each with its value as the next item.
        kind: what runs.
        target: file, module or text of the code; empty where nothing is named.
        arguments: what follows.
        launcher: whether ``wandb-repro run`` stood in between.
    """

    flags: tuple[str, ...]
    kind: Kind
    target: str
    arguments: tuple[str, ...]
    launcher: bool = False


def parse(command_line: Sequence[str]) -> Invocation:
    """Return the parts of ``python [options] [-c TEXT | -m NAME | FILE | -] [arguments]``.

    Source: CPython 3.10 to 3.14, Python/getopt.c and "Command line and environment".
    """
    found = _parse(tuple(command_line[1:]))
    if found.kind == "module" and found.target == LAUNCHER:
        return replace(_parse(found.arguments), flags=found.flags, launcher=True)
    return found


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
    """Return switches, the letter that takes a value, and the value glued to it.

    ``-Im`` is ``I``, ``m`` and nothing; ``-OWignore`` is ``O``, ``W`` and ``ignore``.
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
