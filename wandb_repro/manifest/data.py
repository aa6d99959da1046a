"""The data: what it was, not the data itself."""

from __future__ import annotations

from wandb_repro.manifest.base import Grown, Record, Unavailable, later

__all__ = ["ArrayDigest", "DataFiles", "Dataset", "InputFile", "Overlap"]


class ArrayDigest(Record):
    """One array of a dataset."""

    role: str
    """``x`` or ``y``, and which part of it."""
    dtype: str
    shape: tuple[int, ...]
    """Axes in the array's own order, examples first."""
    digest: str
    """``ALGORITHM:HEX`` over dtype, shape and elements in C order, little-endian."""


_NOT_ASKED = Unavailable(unavailable="it was not asked for when this was recorded")


class DataFiles(Grown, Record):
    """The file or folder that a named part of the data was read from."""

    path: str
    """As it was given: absolute, or relative to the working directory."""
    absolute: str
    """Where that was on the machine that recorded it."""
    count: int
    """Files in it; 1 for a file."""
    size_bytes: int
    digest: str | Unavailable = later(_NOT_ASKED)
    """``ALGORITHM:HEX`` over the bytes of all of them."""
    artifact: str = later("")
    """Version of the W&B artifact that holds them, ``ENTITY/PROJECT/NAME:vN``; empty when none."""


class Dataset(Grown, Record):
    """A named part of the data, such as ``train``."""

    name: str
    kind: str
    """``numpy``, ``pandas``, ``polars``, ``arrays``, ``tf.data``, ``PyDataset``, ``file``,
    ``folder`` or ``unknown``."""
    arrays: tuple[ArrayDigest, ...] | Unavailable
    digest: str | Unavailable
    """``ALGORITHM:HEX`` over all of it: changes when an element or their order does."""
    rows: int | Unavailable = later(_NOT_ASKED)
    """Examples, or files of a folder."""
    order_free: str | Unavailable = later(_NOT_ASKED)
    """``ALGORITHM:HEX`` over the rows' content: stays when only their order changes."""
    read: str = later("")
    """What of it the digests cover, in words; empty when all of it."""
    files: DataFiles | None = later(None)


class Overlap(Record):
    """Rows that stand in two parts of the data, by their content."""

    one: str
    two: str
    """Names of the parts, as they were given."""
    rows_of_one: int
    rows_of_two: int
    """How many rows of each part stand in the other, too."""
    estimated: bool = False
    """Whether the numbers come from a sample."""

    def __str__(self) -> str:
        about = "about " if self.estimated else ""
        only = self.rows_of_two == 1 and not self.estimated
        rows = "row" if only else "rows"
        stand = "stands" if only else "stand"
        return f"{about}{self.rows_of_two:,} {rows} of {self.two!r} {stand} in {self.one!r}, too"


class InputFile(Grown, Record):
    """A file outside the snapshot and the environment that the run opened for reading."""

    path: str
    """As the process opened it: absolute, or relative to its working directory."""
    absolute: str
    """Where that was on the machine that recorded it."""
    size_bytes: int | Unavailable
    """When it was opened."""
    digest: str | Unavailable = later(Unavailable(unavailable="it was not digested"))
    """``sha256:HEX`` of its bytes, as they were read."""
    reason: str = later("")
    """Why its bytes are not in the capsule, where they could have been."""
