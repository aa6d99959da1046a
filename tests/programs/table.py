"""Prints what became of the programs, one line for each."""

from __future__ import annotations

from tests.programs.program import Program
from tests.programs.trial import Got, Trial

__all__ = ["heading", "row", "skipped_row"]

_WIDTHS = (16, 44, 33, 12)


def heading() -> str:
    """Return the names of the columns."""
    names = ("program", "way of training", "changed in", "unchanged")
    return f"      {_columns(names)}  changed: first difference"


def row(trial: Trial) -> str:
    """Return a program's line, and a line for each fault."""
    program = trial.program
    mark = "FAULT" if trial.faults else "holds"
    texts = (program.name, program.way, program.change, trial.unchanged.grade)
    faults = "".join(f"\n      - {fault}" for fault in trial.faults)
    return f"{mark} {_columns(texts)}  {_changed(trial.changed)}{faults}"


def skipped_row(program: Program, missing: str) -> str:
    """Return the line of a program that cannot run here."""
    texts = (program.name, program.way, program.change, "skipped")
    return f"  -   {_columns(texts)}  not installed: {missing}"


def _changed(got: Got) -> str:
    return f"{got.grade}: {got.difference}" if got.difference else got.grade


def _columns(texts: tuple[str, ...]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, _WIDTHS, strict=True))
