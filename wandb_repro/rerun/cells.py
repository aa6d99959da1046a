"""The cells that a rerun of a notebook executes, without the lines that install packages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from wandb_repro.capture.secrets.redact import REDACTED
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.command import Cell, Cells, CellsFile

_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|script|system|sx|!|perl|ruby|cmd)\b")
_SHELL_LINE = re.compile(r"\s*(?:[\w, ]+=\s*)?(?:!|%(?:sx|system|sc)\b)")
_PACKAGES = r"(?:pip3?|conda|mamba|micromamba|uv|poetry|pixi|apt|apt-get)"
_INSTALL = re.compile(
    rf"\s*(?:[\w, ]+=\s*)?(?:[%!]+\s*|%(?:sx|system)\s+)(?:sudo\s+)?(?:\S+\s+-m\s+)?"
    rf"(?:{_PACKAGES}\b(?=.*\b(?:install|uninstall|add|remove|update|upgrade|sync)\b))"
)
"""A line that changes the environment: ``%pip install x``, ``!python -m pip install x``."""


@dataclass(frozen=True)
class PlannedCells:
    """What will be executed."""

    cells: Cells
    """Without the credentials, and without the lines that are held back."""
    commands: tuple[str, ...]
    """Lines that run programs."""
    held_back: tuple[str, ...]
    """Lines that would install packages: it is rebuilt as it was when the run ended."""
    values: Mapping[int, str]
    """Credentials by the number of their cell."""

    def filled(self) -> Cells:
        """Return the cells with the credentials filled in."""
        cells = tuple(
            cell.model_copy(update={"source": cell.source.replace(REDACTED, self.values[number])})
            if number in self.values
            else cell
            for number, cell in enumerate(self.cells.cells, start=1)
        )
        return Cells(cells=cells)


def plan_cells(
    cells: Cells, file: CellsFile, values: Mapping[int, str], *, ask: bool = True
) -> PlannedCells:
    """Return what a rerun of a notebook executes. ``values`` are credentials by cell number.

    Raises:
        RefusedError: a credential is not in ``values`` (only if ``ask``).
        UsageError: a value is for a cell that had no credential.
    """
    unknown = sorted(set(values) - set(file.redacted))
    if unknown:
        raise UsageError(f"No credential was removed from cell {unknown[0]}; leave it as it is.")
    needed = [number for number in file.redacted if number not in values]
    if needed and ask:
        raise RefusedError(
            "The notebook contained credentials, which are not recorded: in cell "
            f"{', '.join(map(str, needed))}.",
            hint=f"Give each in place of {REDACTED}, or leave it empty: "
            + " ".join(f"--arg {number}=VALUE" for number in needed),
        )
    held_back: list[str] = []
    planned = tuple(_without_installs(cell, held_back) for cell in cells.cells)
    commands = (line for cell in planned for line in _commands(cell.source))
    return PlannedCells(Cells(cells=planned), tuple(commands), tuple(held_back), values)


def _without_installs(cell: Cell, held_back: list[str]) -> Cell:
    """Return a cell that prints its install lines instead; they are added to ``held_back``."""
    lines = cell.source.split("\n")
    if _SHELL_CELL.match(cell.source):
        return cell
    for at, line in enumerate(lines):
        if _INSTALL.match(line):
            held_back.append(line.strip())
            indent = line[: len(line) - len(line.lstrip())]
            lines[at] = f"{indent}print({'held back: ' + line.strip()!r})"
    return cell.model_copy(update={"source": "\n".join(lines)})


def _commands(source: str) -> list[str]:
    lines = source.split("\n")
    if _SHELL_CELL.match(source):
        return [line.strip() for line in lines if line.strip()]
    return [line.strip() for line in lines if _SHELL_LINE.match(line)]
