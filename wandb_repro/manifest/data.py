"""The data: what it was, not the data itself."""

from __future__ import annotations

from wandb_repro.manifest.base import Grown, Record, Unavailable, later

__all__ = ["ArrayDigest", "Dataset", "InputFile"]


class ArrayDigest(Record):
    """One array of a dataset."""

    role: str
    """``x`` or ``y``."""
    dtype: str
    shape: tuple[int, ...]
    """Axes in the array's own order, examples first."""
    digest: str
    """``ALGORITHM:HEX`` over dtype, shape and elements in C order, little-endian."""


class Dataset(Record):
    """A named part of the data, such as ``train``."""

    name: str
    kind: str
    """``numpy``."""
    arrays: tuple[ArrayDigest, ...] | Unavailable
    digest: str | Unavailable
    """``ALGORITHM:HEX`` over all arrays: changes when an element or their order does."""


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
