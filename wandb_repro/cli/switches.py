"""``--set NAME=VALUE``: a switch other than the recorded one, shared by ``rerun`` and ``check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from wandb_repro.errors import UsageError
from wandb_repro.manifest.switches import RESTORED

__all__ = ["set_option", "switches_of"]

F = TypeVar("F", bound=Callable[..., Any])

_THREADS = "TF_NUM_INTRAOP_THREADS"


def set_option(command: F) -> F:
    """Add ``--set`` to a command."""
    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="NAME=VALUE",
        help="A switch instead of the recorded one, such as ONEDNN_MAX_CPU_ISA=AVX2. Repeatable.",
    )(command)


def switches_of(texts: Iterable[str]) -> dict[str, str]:
    """Return switches by name.

    Raises:
        UsageError: it is no ``NAME=VALUE``, or no switch that is recorded and restored.
    """
    return dict(_switch(text) for text in texts)


def _switch(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes NAME=VALUE, not {text!r}.")
    if name == _THREADS:
        raise UsageError(f"{name} is set with --threads N.")
    if name not in RESTORED:
        raise UsageError(
            f"{name} is no switch that is recorded, so --set does not set it.",
            hint="Export it in the shell: what is no switch reaches the training as it is.",
        )
    if "\0" in value:
        raise UsageError(f"--set {name}: a variable cannot hold a NUL.")
    return name, value
