"""How an assertion fails: one sentence, then the same report that the terminal gives."""

from __future__ import annotations

import io
from typing import NoReturn

from rich.console import Console, RenderableType

from wandb_repro.report.verdict import verdict_text
from wandb_repro.verify.verdict import Verdict

_OF_THE_TERMINAL = "; --json has all"
"""An option of the commands, which an assertion has not."""

_WIDTH = 88
"""Columns; pytest puts four before each line."""


def fail(sentence: str, report: RenderableType | str = "") -> NoReturn:
    """Fail the test that is running, with a sentence and the report that it rests on.

    Raises:
        AssertionError: always.
    """
    __tracebackhide__ = True
    shown = report if isinstance(report, str) else as_text(report)
    raise AssertionError(f"{sentence}\n\n{shown.rstrip()}\n" if shown else sentence)


def fail_with_verdict(sentence: str, verdict: Verdict) -> NoReturn:
    """Fail the test that is running, with a verdict as ``wandb-repro rerun`` prints it.

    Raises:
        AssertionError: always.
    """
    __tracebackhide__ = True
    fail(sentence, verdict_text(verdict))


def as_text(report: RenderableType) -> str:
    """Return a report as plain text."""
    console = Console(
        file=io.StringIO(), width=_WIDTH, highlight=False, color_system=None, no_color=True
    )
    with console.capture() as captured:
        console.print(report)
    return captured.get().replace(_OF_THE_TERMINAL, "")
