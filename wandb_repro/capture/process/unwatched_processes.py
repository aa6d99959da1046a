"""Python processes that a script starts so that their training would not be noticed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.process.audit_hook import listen
from wandb_repro.capture.process.python_command import python_commands
from wandb_repro.capture.unrecorded import is_unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import CHILDREN_VARIABLE, own_search_path

_EVENTS = ("subprocess.Popen", "os.posix_spawn", "os.system")
_ISOLATED = frozenset("IES")
"""Options of Python with which it reads no ``PYTHONPATH``, or no ``sitecustomize``."""
_WITH_VALUE = frozenset("WX")
_TRAINS_NOTHING = frozenset({"pip", "ensurepip", "venv", "virtualenv", "compileall"})
"""Modules that are started with ``-m``."""
_MOST = 100
_REFUSED = (TypeError, ValueError, IndexError, AttributeError)
"""Errors for arguments that ``Popen`` refuses by itself."""


@dataclass
class UnwatchedProcesses:
    """The processes that this one starts without our variables."""

    names: list[str] = field(default_factory=list[str])
    """Of their scripts, in order."""

    def listen(self) -> None:
        """Notice processes from now on, until this one ends."""
        listen(_EVENTS, self.notice)

    def notice(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take an audit event.

        Source: "Audit events table" of Python 3.10 to 3.14: ``subprocess.Popen`` has executable,
        args, cwd and env; ``os.posix_spawn`` has path, argv and env; ``os.system`` has command.
        """
        if is_unrecorded() or len(self.names) >= _MOST:
            return
        name = guarded(lambda: _name(arguments), "a child process", expects=_REFUSED)
        if isinstance(name, Unavailable):
            return
        if name and (event != "os.posix_spawn" or name not in self.names):  # ``Popen`` may use it
            self.names.append(name)


def _name(arguments: tuple[object, ...]) -> str:
    if len(arguments) == 1:  # os.system
        return unwatched(["sh", "-c", *_texts(arguments[0])], None)
    environment = cast("Mapping[object, object] | None", arguments[-1])
    return unwatched(_texts(arguments[1]), environment)


def unwatched(command: Sequence[str], environment: Mapping[object, object] | None) -> str:
    """Return the name of a Python program whose training would not be noticed; empty if none.

    Args:
        command: as the process gets it.
        environment: of the process; None if it inherits this one's.

    Example:
        >>> unwatched(["python3", "-I", "evaluate.py"], os.environ)
        'evaluate.py'
    """
    known = None if environment is None else _decoded(environment)
    # Without our variable, this process hands nothing over; the script may have removed it for one.
    hands_over = known is not None or CHILDREN_VARIABLE in os.environ
    for found in python_commands(command, known):
        isolated, name = _read_options(found.arguments)
        if name and (isolated or (hands_over and _is_bare(found.environment))):
            return name
    return ""


def _decoded(environment: Mapping[Any, Any]) -> dict[str, str]:
    return {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}


def _is_bare(environment: Mapping[str, str] | None) -> bool:
    """Tell whether an environment lacks our variable, or our folder on its ``PYTHONPATH``."""
    # The script may have set a search path for all.
    found = os.environ if environment is None else environment
    path = found.get("PYTHONPATH", "")
    has_folder = bool(path) and own_search_path(path) != path.split(os.pathsep)
    return CHILDREN_VARIABLE not in found or not has_folder


def _read_options(words: Sequence[str]) -> tuple[bool, str]:
    """Return whether Python's options isolate it, and the name of what it runs, if it may train."""
    isolated = False
    left = iter(words)
    for word in left:
        if not word.startswith("-") or word == "-":
            return isolated, os.path.basename(word)  # noqa: PTH119
        for position, letter in enumerate(word[1:], start=1):
            rest = word[position + 1 :]
            isolated = isolated or letter in _ISOLATED
            if letter == "c":
                return isolated, "python -c"
            if letter == "m":
                module = rest or next(left, "")
                return isolated, "" if module in _TRAINS_NOTHING else module
            if letter in _WITH_VALUE:
                if not rest:
                    next(left, "")
                break
            if letter in "Vh-":  # ``--version`` and its like
                return isolated, ""
    return isolated, ""


def _texts(command: object) -> list[str]:
    if isinstance(command, (str, bytes, os.PathLike)):
        return [os.fsdecode(cast("str | bytes | os.PathLike[str]", command))]
    return [os.fsdecode(word) for word in cast("Sequence[str | bytes]", command)]
