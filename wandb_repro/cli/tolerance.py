"""The two options by which somebody states a tolerance, shared by the commands that judge."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from wandb_repro.errors import UsageError
from wandb_repro.verify.tolerance import Tolerance

__all__ = ["tolerance_of", "tolerance_options"]

F = TypeVar("F", bound=Callable[..., Any])


def tolerance_options(command: F) -> F:
    """Add ``--rtol`` and ``--metric`` to a command."""
    rtol = click.option(
        "--rtol",
        type=float,
        metavar="R",
        help="Call it equivalent when every metric of the last epoch, and every weight as far as "
        "its numbers tell, is within R of its size.",
    )
    metric = click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME=D",
        help="Call it equivalent when this metric of the last epoch is within D. Repeatable.",
    )
    return rtol(metric(command))


def tolerance_of(rtol: float | None, metrics: Iterable[str]) -> Tolerance:
    """Return what was stated.

    Raises:
        UsageError: it is no number, or less than zero.
    """
    if rtol is not None:
        _checked(rtol, "--rtol")
    return Tolerance(rtol, dict(_pair(one) for one in metrics))


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
