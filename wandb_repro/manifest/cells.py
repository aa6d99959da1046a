"""The cells of a notebook, in the order in which they were executed."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import ValidationError

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import ExecutionRecord, Unavailable, first_fault
from wandb_repro.manifest.canonical import JSON

__all__ = ["MOST_BYTES", "Cell", "Cells"]

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
