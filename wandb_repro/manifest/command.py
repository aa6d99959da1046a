"""How the run was started."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from wandb_repro.manifest.base import ExecutionRecord, Grown, Unavailable, later

__all__ = ["CellsFile", "Command"]


class CellsFile(ExecutionRecord):
    """The file that holds a notebook's cells (see ``manifest/cells.py``)."""

    name: str
    """File name inside the capsule."""
    sha256: str
    """Hexadecimal."""
    size_bytes: int
    count: int
    """How many cells were executed."""
    redacted: tuple[int, ...] = ()
    """Their numbers, from 1, where a credential was cut out."""
    kept: Literal["run", "local"] = "run"
    """With the run's files, or only on the machine that recorded it."""


class Command(Grown, ExecutionRecord):
    """All it takes to start the run again."""

    kind: Literal["script", "module", "code", "console", "notebook"]
    """``python FILE``, ``python -m NAME``, ``python -c TEXT``, a command that an installed
    distribution brings (``python ENVIRONMENT/bin/NAME``), or the cells of a notebook."""
    target: str
    """The file (POSIX, relative to the code's root; absolute when it lies outside), the module's
    name, the text of the code, the command's name in the environment's folder of commands, or the
    notebook's name where it is known: a label, its cells are what runs."""
    arguments: tuple[str, ...]
    """What follows the target, credentials cut out."""
    redacted: tuple[int, ...] = ()
    """Positions in ``arguments`` whose value was a credential and is not recorded."""
    interpreter_flags: tuple[str, ...] = ()
    """Options of the interpreter itself, such as ``-O`` or ``-X utf8``."""
    working_directory: str
    """POSIX, relative to the code's root; absolute when it lies outside."""
    launcher: bool = False
    """Whether ``wandb-repro run`` started it."""
    python_path: tuple[str, ...] = later(())
    """Folders that modules were found in because ``PYTHONPATH``, or the script, named them;
    absolute, on the machine that recorded it."""
    cells: CellsFile | Unavailable | None = later(None)
    """What a notebook executed; null for every other kind."""
    environment: dict[str, str]
    """Variables of the process, only names known to matter (see ``manifest/switches.py``)."""

    @model_validator(mode="after")
    def _redacted_are_positions(self) -> Command:
        if not all(0 <= place < len(self.arguments) for place in self.redacted):
            raise ValueError("redacted names a position that arguments does not have")
        return self
