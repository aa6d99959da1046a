"""Options from the call, else from ``wandb-repro run``, else from ``pyproject.toml``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from wandb_repro.errors import UsageError
from wandb_repro.manifest.request import OPTIONS_VARIABLE, Options
from wandb_repro.recording.messages import warn_once

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CODE_CHOICES = ("auto", "upload", "local", "off")
MAX_SEED = 2**32 - 1
"""The largest seed that every generator accepts. Source: ``numpy.random.seed``."""

_HINT = "See help(wandb_repro.init) and [tool.wandb_repro] in the README."


def combined(call: Mapping[str, Any], *, folder: Path) -> Options:
    """Return the options that apply; a wrong one of the project is one warning and its default.

    Args:
        call: arguments of ``init``; None, ``code="auto"`` and ``strict=False`` count as not set.
        folder: the search for ``pyproject.toml`` starts here and goes up.

    Raises:
        UsageError: an option has an invalid value, in the project only if ``strict`` is set.
    """
    passed = {
        name: value
        for name, value in call.items()
        if value is not None and (name, value) not in (("code", "auto"), ("strict", False))
    }
    given = {**from_environment(), **passed}
    table, wrong = _from_project(folder)
    options = _valid({**table, **given})
    if wrong and options.strict:
        raise UsageError(wrong[0], hint=_HINT)
    for sentence in wrong:
        warn_once(f"{sentence.rstrip('.')}: ignored")
    return options


def _valid(options: Mapping[str, Any]) -> Options:
    try:
        return _checked(Options.model_validate(options))
    except ValidationError as error:
        raise UsageError(_sentence(error), hint=_HINT) from error


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"Unknown option {name}; the options are {', '.join(Options.model_fields)}."
    return f"Invalid value {first['input']!r} of option {name}: {first['msg']}."


def _checked(options: Options) -> Options:
    if options.code not in CODE_CHOICES:
        raise UsageError(
            f"code={options.code!r} is not one of {', '.join(map(repr, CODE_CHOICES))}."
        )
    if options.seed is not None and not 0 <= options.seed <= MAX_SEED:
        raise UsageError(f"seed={options.seed} is not between 0 and {MAX_SEED}.")
    steps = [options.steps] if isinstance(options.steps, int) else options.steps
    if steps is not None and (not steps or min(steps) < 1):
        raise UsageError(f"steps={options.steps} is not a number of steps; give 1 or more.")
    return options


def from_environment() -> dict[str, Any]:
    """Return the options of ``wandb-repro run``; empty if it did not start this process."""
    text = os.environ.get(OPTIONS_VARIABLE)
    if not text:
        return {}
    try:
        return Options.model_validate_json(text).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise UsageError(f"{OPTIONS_VARIABLE} does not hold options: {error}.") from error


def project_file(folder: Path) -> Path | None:
    """Return the nearest ``pyproject.toml`` at or above a folder."""
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file():
            return file
    return None


def _from_project(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the project's valid options, and a sentence on each that is not."""
    file = project_file(folder)
    if file is None:
        return {}, []
    try:
        table = _table(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return {}, [f"{file} cannot be read: {error}"]
    valid: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in table.items():
        try:
            _valid({name: value})
        except UsageError as error:
            wrong.append(f"{file}: {error.message}")
        else:
            valid[name] = value
    return valid, wrong


def _table(text: str) -> dict[str, Any]:
    """Return ``[tool.wandb_repro]``.

    Raises:
        ValueError: the text is not TOML, and names us, or ours is not a table.
    """
    try:
        tool: object = tomllib.loads(text).get("tool", {})
    except ValueError:
        if "wandb_repro" in text:
            raise
        return {}  # the project's own tools report errors in it
    tools = cast("dict[str, object]", tool) if isinstance(tool, dict) else {}
    table = tools.get("wandb_repro", {})
    if not isinstance(table, dict):
        raise ValueError("tool.wandb_repro is not a table")  # noqa: TRY004 - as for wrong TOML
    return cast("dict[str, Any]", table)
