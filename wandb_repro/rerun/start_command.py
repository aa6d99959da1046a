"""The command line that starts a rerun's training. Pure: made of the record alone.

Anybody may have written the record: a command that would run code from outside the restored tree,
or write outside the new folder, is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.capture.process.notebook import RUNNER
from wandb_repro.capture.secrets.redact import REDACTED
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.command import Command
from wandb_repro.rerun.path_map import moved, path_in_tree


@dataclass(frozen=True)
class StartCommand:
    """What follows the interpreter on the command line."""

    words: tuple[str, ...]
    """Flags, target, arguments; credentials cut."""
    own_arguments_at: int
    """Position of the script's first argument in ``words``."""
    console_place: int | None
    """Position of an installed command's name in ``words``; None for any other start."""


def start_command(
    command: Command, root: str, *, code: Path, cwd: Path, cells: Path
) -> StartCommand:
    """Return the command line of the training.

    Args:
        command: as it was recorded.
        root: of the original's tree.
        code: the restored tree.
        cwd: where it starts.
        cells: the file with a notebook's cells.

    Raises:
        RefusedError: the record would start something that is not restored from it.
    """
    before = (*_flags(command), *_launcher(command), *_target(command, code, cwd, cells))
    words = (*before, *(moved(argument, root, code) for argument in command.arguments))
    if any("\0" in word for word in words):
        raise RefusedError("The record's command holds a NUL, which no command line can hold.")
    console_place = len(before) - 1 if command.kind == "console" else None
    return StartCommand(words, len(before), console_place)


def _launcher(command: Command) -> list[str]:
    # The name is a protocol between versions: records in the wild are started by it.
    return ["-m", "wandb_repro.launch"] if command.launcher else []


def _target(command: Command, code: Path, cwd: Path, cells: Path) -> list[str]:
    match command.kind:
        case "script":
            return [_script(command, code, cwd)]
        case "module":
            return ["-m", _module(command)]
        case "code":
            return ["-c", command.target]
        case "console":
            return [_console(command)]
        case "notebook":
            return ["-m", RUNNER, str(cells), command.target]


def _script(command: Command, code: Path, cwd: Path) -> str:
    """Return the script's path relative to its working directory, as people type it."""
    script = path_in_tree(code, command.target)
    if not script.is_relative_to(code):
        raise RefusedError(
            f"The record's script is {str(script)[:200]}, which is not in its source tree.",
            hint="Only what is restored from the record is run.",
        )
    path = os.path.relpath(script, cwd)
    return f"./{path}" if path.startswith("-") else path


def _module(command: Command) -> str:
    if not all(name.isidentifier() for name in command.target.split(".")):
        raise RefusedError(f"The record names an invalid module: {command.target[:80]!r}.")
    return command.target


def _console(command: Command) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", command.target):
        raise RefusedError(f"The record names an invalid command: {command.target[:80]!r}.")
    return command.target


_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_FLAG = re.compile(r"-[bBdEIOPRsSuvqx]")


def _flags(command: Command) -> list[str]:
    """Return the interpreter's options: none of them names code, or a path to write to."""
    kept: list[str] = []
    words = iter(command.interpreter_flags)
    for word in words:
        if word in _WITH_VALUE:
            value = next(words, "")
            # The bytecode folder changes no bits, and would be outside the new folder.
            if not value.startswith("pycache_prefix"):
                kept += [word, value]
        elif _FLAG.fullmatch(word):
            kept.append(word)
        else:
            raise RefusedError(
                f"The record starts Python with {word[:80]!r}, which is not an option."
            )
    return kept


def credentials_of(command: Command, values: Mapping[int, str], *, ask: bool) -> dict[int, str]:
    """Return the complete arguments with a credential, by position.

    ``values`` are the credentials, by the position of their argument.

    Raises:
        RefusedError: a credential is not in ``values`` (only if ``ask``).
        UsageError: a value is for an argument that had no credential.
    """
    unknown = sorted(set(values) - set(command.redacted))
    if unknown:
        raise UsageError(
            f"Argument {unknown[0]} was not removed from the record; leave it as it is."
        )
    needed = sorted(set(command.redacted) - set(values))
    if needed and ask:
        named = ", ".join(f"{at} ({command.arguments[at]!r})" for at in needed)
        raise RefusedError(
            f"The record does not hold the credentials among the arguments: {named}.",
            hint=f"Give each in place of {REDACTED}: "
            + " ".join(f"--arg {at}=VALUE" for at in needed),
        )
    return {at: _filled(command.arguments[at], value) for at, value in values.items()}


def _filled(argument: str, value: str) -> str:
    """Return an argument with its credential; ``value`` is all of it if it lost several."""
    return argument.replace(REDACTED, value) if argument.count(REDACTED) == 1 else value
