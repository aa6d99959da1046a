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

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CODE_CHOICES = ("auto", "upload", "local", "off")
MAX_SEED = 2**32 - 1
"""The largest seed that every generator accepts. Source: ``numpy.random.seed``."""


def combined(call: Mapping[str, Any], *, folder: Path) -> Options:
    """Return the options that apply.

    Args:
        call: arguments of ``init``; None, ``code="auto"`` and ``strict=False`` count as not set.
        folder: the search for ``pyproject.toml`` starts here and goes up.

    Raises:
        UsageError: an option has an invalid value.
    """
    passed = {
        name: value
        for name, value in call.items()
        if value is not None and (name, value) not in (("code", "auto"), ("strict", False))
    }
    options = {**_from_project(folder), **from_environment(), **passed}
    try:
        valid = Options.model_validate(options)
    except ValidationError as error:
        raise UsageError(
            _sentence(error),
            hint="See help(wandb_repro.init) and [tool.wandb_repro] in the README.",
        ) from error
    return _checked(valid)


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


def _from_project(folder: Path) -> dict[str, Any]:
    file = project_file(folder)
    return {} if file is None else _table(file)


def _table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the file belongs to the project; its own tools report errors in it
    tool = cast("dict[str, Any]", document.get("tool", {}))
    table: object = tool.get("wandb_repro", {})
    return cast("dict[str, Any]", table) if isinstance(table, dict) else {}
