"""How the run was started.

The cells of a notebook, in the order in which they were executed.
"""

from __future__ import annotations

from typing import Literal, cast

from pydantic import ValidationError, model_validator

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import ExecutionRecord, Grown, Unavailable, first_fault, later
from wandb_repro.manifest.canonical import JSON

__all__ = ["MOST_BYTES", "Cell", "Cells", "CellsFile", "Command"]


class CellsFile(ExecutionRecord):
    """The file that holds a notebook's cells (see ``manifest/command.py``)."""

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


MOST_BYTES = 8 * 1024 * 1024
"""A larger document is neither written nor read."""


class Cell(ExecutionRecord):
    """One execution of a cell. A cell that was executed twice is there twice."""

    source: str
    """As it was typed, magics included, without the line ends at its end; credentials cut out."""
    raised: str | Unavailable = ""
    """Type of the exception that ended it; empty when none did."""


class Cells(ExecutionRecord):
    """What a notebook executed up to the end of its run."""

    format: Literal["wandb_repro/cells"] = "wandb_repro/cells"
    version: Literal["1.0"] = "1.0"
    cells: tuple[Cell, ...]

    def to_bytes(self) -> bytes:
        """Return the document: canonical JSON and one line end."""
        return canonical.dumps(cast("JSON", self.model_dump(mode="json"))) + b"\n"

    @classmethod
    def from_bytes(cls, document: bytes) -> Cells:
        """Read a document back. ``from_bytes(c.to_bytes()) == c``.

        Raises:
            ManifestError: too large, not JSON, or not as its format says.
        """
        if len(document) > MOST_BYTES:
            raise ManifestError(f"The notebook's cells have more than {MOST_BYTES} bytes.")
        try:
            return cls.model_validate_json(canonical.dumps(canonical.loads(document)))
        except ValidationError as error:
            where, what = first_fault(error)
            raise ManifestError(
                f"The notebook's cells are not as their format says, at {where}: {what}.",
                hint="They were written by another program or changed by hand; "
                "download the run's files again.",
                where=where,
            ) from error
