"""Options of several commands: a tolerance (``--rtol``, ``--metric``), and ``--set NAME=VALUE``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from wandb_repro.errors import UsageError
from wandb_repro.manifest.switches import RESTORED, THREADS_VARIABLE
from wandb_repro.verify.tolerance import Tolerance

F = TypeVar("F", bound=Callable[..., Any])


def tolerance_options(command: F) -> F:
    """Add ``--rtol`` and ``--metric`` to a command."""
    rtol = click.option(
        "--rtol",
        type=float,
        metavar="R",
        help="Equivalent if every metric of the last epoch, and every weight as far as the record "
        "shows, differs by at most R relative to its size.",
    )
    metric = click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME=D",
        help="Equivalent if this metric of the last epoch differs by at most D. Repeatable.",
    )
    return rtol(metric(command))


def tolerance_of(rtol: float | None, metrics: Iterable[str]) -> Tolerance:
    """Return the tolerance.

    Raises:
        UsageError: a value is not a number, or is less than zero.
    """
    if rtol is not None:
        _checked(rtol, "--rtol")
    return Tolerance(rtol, dict(map(_pair, metrics)))


def _pair(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        allowed = float(value)
    except ValueError:
        allowed = math.nan
    if not equals or not name:
        raise UsageError(f"--metric takes NAME=D, such as val_accuracy=0.002, not {text!r}.")
    return name, _checked(allowed, f"--metric {name}")


def _checked(value: float, what: str) -> float:
    if not math.isfinite(value) or value < 0:
        raise UsageError(f"{what} takes a number, 0 or more.")
    return value


def set_option(command: F) -> F:
    """Add ``--set`` to a command."""
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a switch, such as ONEDNN_MAX_CPU_ISA=AVX2, to another value. Repeatable.",
    )(command)


def switches_of(texts: Iterable[str]) -> dict[str, str]:
    """Return switches by name.

    Raises:
        UsageError: a text is not ``NAME=VALUE``, or is not about a recorded switch.
    """
    return dict(map(_switch, texts))


def _switch(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes NAME=VALUE, not {text!r}.")
    if name == THREADS_VARIABLE:
        raise UsageError(f"{name} is set with --threads N.")
    if name not in RESTORED:
        raise UsageError(
            f"{name} is not a recorded switch, so --set cannot set it.",
            hint="Export it in the shell instead: other variables are passed on unchanged.",
        )
    if "\0" in value:
        raise UsageError(f"--set {name}: a variable cannot hold a NUL.")
    return name, value
