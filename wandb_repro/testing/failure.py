"""Fails an assertion with a sentence, then the report that the terminal would show."""

from __future__ import annotations

import io
from typing import NoReturn

from rich.console import Console, RenderableType

from wandb_repro.report.verdict import verdict_text
from wandb_repro.verify.verdict import Verdict

_OF_THE_TERMINAL = "; --json has all"
"""Names an option of the commands, which assertions do not have."""

_WIDTH = 88
"""Columns; pytest indents each line by four."""


def fail(sentence: str, report: RenderableType | str = "") -> NoReturn:
    """Fail the running test with a sentence and the report behind it.

    Raises:
        AssertionError: always.
    """
    __tracebackhide__ = True
    shown = report if isinstance(report, str) else as_text(report)
    raise AssertionError(f"{sentence}\n\n{shown.rstrip()}\n" if shown else sentence)


def fail_with_verdict(sentence: str, verdict: Verdict) -> NoReturn:
    """Fail the running test with a verdict as ``wandb-repro rerun`` prints it.

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
