"""How the run was started: a command line, or the executed cells of a notebook."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import model_validator

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import (
    EvolvedRecord,
    ExecutionRecord,
    Unavailable,
    added_field,
    read_record,
)
from wandb_repro.manifest.canonical import JSON


class CellsFile(ExecutionRecord):
    """The file with a notebook's cells; see ``Cells``."""

    name: str
    """File name inside the capsule."""
    sha256: str
    """Hexadecimal."""
    size_bytes: int
    count: int
    """Number of executed cells."""
    redacted: tuple[int, ...] = ()
    """Numbers, from 1, of cells that a credential was removed from."""
    kept: Literal["run", "local"] = "run"
    """With the run's files, or only on the machine that recorded it."""


class Command(EvolvedRecord, ExecutionRecord):
    """Everything that is needed to start the run again."""

    kind: Literal["script", "module", "code", "console", "notebook"]
    """``python FILE``, ``python -m NAME``, ``python -c TEXT``, a command of an installed
    distribution (``python ENVIRONMENT/bin/NAME``), or the cells of a notebook."""
    target: str
    """The file (POSIX, relative to the code's root; absolute if outside it), the module's name,
    the text of the code, the command's name in the environment's ``bin``, or the notebook's name
    if known, which is only a label: its cells are what runs."""
    arguments: tuple[str, ...]
    """The arguments after the target, credentials removed."""
    redacted: tuple[int, ...] = ()
    """Positions in ``arguments`` whose value was a credential and is not recorded."""
    interpreter_flags: tuple[str, ...] = ()
    """Options of the interpreter, such as ``-O`` or ``-X utf8``."""
    working_directory: str
    """POSIX, relative to the code's root; absolute if outside it."""
    launcher: bool = False
    """Whether ``wandb-repro run`` started it."""
    python_path: tuple[str, ...] = added_field(())
    """Folders from ``PYTHONPATH`` or added by the script that modules were imported from;
    absolute, on the machine that recorded it."""
    cells: CellsFile | Unavailable | None = added_field(None)
    """Cells of a notebook; null for every other kind."""
    environment: dict[str, str]
    """Environment variables, only those listed in ``manifest/switches.py``."""

    @model_validator(mode="after")
    def _redacted_are_positions(self) -> Command:
        if not all(0 <= position < len(self.arguments) for position in self.redacted):
            raise ValueError("redacted names a position that arguments does not have")
        return self


MOST_BYTES = 8 * 1024 * 1024
"""Larger cell documents are neither written nor read."""


class Cell(ExecutionRecord):
    """One execution of a cell. A cell that was executed twice is recorded twice."""

    source: str
    """As typed, including magics, without trailing line ends; credentials removed."""
    raised: str | Unavailable = ""
    """Type of the exception that ended it; empty if none did."""


class Cells(ExecutionRecord):
    """The cells that a notebook executed until the end of its run, in the order of execution."""

    format: Literal["wandb_repro/cells"] = "wandb_repro/cells"
    version: Literal["1.0"] = "1.0"
    cells: tuple[Cell, ...]

    def to_bytes(self) -> bytes:
        """Return the document: canonical JSON and a line end."""
        return canonical.dumps(cast("JSON", self.model_dump(mode="json"))) + b"\n"

    @classmethod
    def from_bytes(cls, document: bytes) -> Cells:
        """Read a document back. ``from_bytes(c.to_bytes()) == c``.

        Raises:
            ManifestError: too large, not JSON, or not in the format of cells.
        """
        if len(document) > MOST_BYTES:
            raise ManifestError(f"The notebook's cells are larger than {MOST_BYTES} bytes.")
        return read_record(cls, canonical.loads(document), "The notebook's cells are")
