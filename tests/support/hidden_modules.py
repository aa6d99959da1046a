"""Keeps processes that the tests start from importing scikit-learn and pandas.

Keras imports both where they are installed, which is a quarter of the time until a training begins.
A script that needs them fails at its import, unless its test passes ``ALL_MODULES``. A line that
``.ci/setup`` writes into the environment hides what the variable names; users have neither.
"""

from __future__ import annotations

import os

import pytest

__all__ = ["ALL_MODULES", "VARIABLE", "hide_from_children", "shown_to"]

VARIABLE = "TESTS_HIDE_MODULES"

ALL_MODULES = {VARIABLE: ""}
"""Environment variables of a process that may import everything."""

_HIDDEN = ("sklearn", "pandas")


def shown_to(script: str) -> dict[str, str]:
    """Return the environment variables of a process that runs this script."""
    return ALL_MODULES if any(name in script for name in _HIDDEN) else {}


def hide_from_children(config: pytest.Config) -> None:
    """Hide the modules from the processes that tests start, and not from the tests themselves."""
    # The workers' own interpreters inherit what the process has that starts them.
    starts_workers = not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"
    if not starts_workers:
        os.environ.setdefault(VARIABLE, " ".join(_HIDDEN))
