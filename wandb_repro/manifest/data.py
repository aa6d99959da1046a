"""Fingerprints of the data, and files that the run read; not the data itself."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from pydantic import Field

from wandb_repro.manifest.base import EvolvedRecord, Record, Unavailable, added_field

# Source: Keras' get_file, the defaults of TensorFlow Datasets, Hugging Face, torchvision.
_DOWNLOADS = (
    (".keras", "datasets"),
    (".keras", "models"),
    ("tensorflow_datasets",),
    (".cache", "huggingface"),
    (".cache", "torch"),
)


class ArrayDigest(Record):
    """One array of a dataset."""

    role: str
    """``x`` or ``y``, and which part of it."""
    dtype: str
    shape: tuple[int, ...]
    """Axes in the array's own order, examples first."""
    digest: str
    """``ALGORITHM:HEX`` over dtype, shape and elements in C order, little-endian."""


_NOT_RECORDED = Unavailable(unavailable="the version that recorded this run did not record it")


class DataFiles(EvolvedRecord, Record):
    """The file or folder that a dataset was read from."""

    path: str
    """As given: absolute, or relative to the working directory."""
    absolute: str
    """Absolute path on the machine that recorded it."""
    count: int
    """Number of files; 1 for a file."""
    size_bytes: int
    digest: str | Unavailable = added_field(_NOT_RECORDED)
    """``ALGORITHM:HEX`` over the bytes of all files."""
    artifact: str = added_field("")
    """Version of the W&B artifact with these files, ``ENTITY/PROJECT/NAME:vN``; empty if none."""


class Dataset(EvolvedRecord, Record):
    """A named part of the data, such as ``train``."""

    name: str
    kind: str
    """``numpy``, ``pandas``, ``polars``, ``arrays``, ``tf.data``, ``PyDataset``, ``file``,
    ``folder`` or ``unknown``."""
    arrays: tuple[ArrayDigest, ...] | Unavailable
    digest: str | Unavailable
    """``ALGORITHM:HEX`` over all of it: changes if an element or the order changes."""
    rows: int | Unavailable = added_field(_NOT_RECORDED)
    """Number of examples, or of files in a folder."""
    order_free: str | Unavailable = added_field(_NOT_RECORDED)
    """``ALGORITHM:HEX`` over the rows' content: the same for every order of the rows."""
    read: str = added_field("")
    """The part that the digests cover, in words; empty if all of it."""
    files: DataFiles | None = added_field(None)


_OF_FIT = re.compile(r"(training|validation) of fit [0-9]+", re.ASCII)


def is_of_fit(name: str) -> bool:
    """Tell whether a dataset is what a fit was trained or validated on, and not a fingerprint."""
    return _OF_FIT.fullmatch(name) is not None


class Overlap(Record):
    """Rows with the same content in two datasets, such as train and test."""

    one: str
    two: str
    """Names of the datasets."""
    rows_of_one: int
    rows_of_two: int
    """Number of rows of each dataset that are also in the other."""
    estimated: bool = False
    """Whether the numbers come from a sample."""

    def __str__(self) -> str:
        """Return the overlap in words: ``3 rows of 'test' are also in 'train'``."""
        about = "about " if self.estimated else ""
        only = self.rows_of_two == 1 and not self.estimated
        rows = "row" if only else "rows"
        are = "is" if only else "are"
        return f"{about}{self.rows_of_two:,} {rows} of {self.two!r} {are} also in {self.one!r}"


class InputFile(EvolvedRecord, Record):
    """A file outside the snapshot and the environment that the run opened for reading."""

    path: str
    """As the process opened it: absolute, or relative to its working directory."""
    absolute: str
    """Absolute path on the machine that recorded it."""
    size_bytes: int | Unavailable
    """When it was opened."""
    digest: str | Unavailable = added_field(Unavailable(unavailable="it was not digested"))
    """``sha256:HEX`` of its bytes, as they were read."""
    reason: str = added_field("")
    """Why its bytes are not in the capsule; empty if they are, or need not be."""


class InputFolder(DataFiles):
    """A folder outside the snapshot that the run listed or read many files from.

    ``path`` is relative to the source tree if the folder is in it, else as the script gave it.
    """

    reason: str
    """Why the source tree does not hold it, such as ``git ignores it``."""
    names: str | Unavailable
    """``ALGORITHM:HEX`` over the paths and sizes of all files."""
    each: dict[str, str] = Field(default_factory=dict)
    """By path in the folder, the first 16 digits of the digest of each file's bytes; empty if
    there are more than 1,000 files or they were not read."""
    written: tuple[str, ...] = ()
    """Paths in the folder that the run itself wrote: in none of the digests."""

    def __str__(self) -> str:
        """Return the folder in words: ``data/ (16 files, 2.1 MB)``."""
        if not self.count:  # it could not be listed, or the run deleted all files
            return f"{self.path.rstrip('/')}/"
        files = "1 file" if self.count == 1 else f"{self.count:,} files"
        return f"{self.path.rstrip('/')}/ ({files}, {_size(self.size_bytes)})"


def can_be_moved(folder: InputFolder) -> bool:
    """Return whether a rerun can put a folder elsewhere: the script opens it by a relative path."""
    return not folder.path.startswith("/")


def is_part_of(folder: InputFolder, file: str) -> bool:
    """Return whether a file, by its path in a folder, is compared with the record of the folder.

    Where the run wrote files of its own, other runs write theirs: only recorded files are compared,
    if they are known.
    """
    if folder.written and folder.each:
        return file in folder.each
    return file not in folder.written


def is_used_up(folder: InputFolder) -> bool:
    """Return whether the run itself changed or deleted every file that it found in a folder."""
    return not folder.count and not isinstance(folder.names, Unavailable)


def _size(size_bytes: int) -> str:
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= least:
            return f"{size_bytes / least:.1f} {unit}"
    return f"{size_bytes} bytes"


def is_download_cache(path: str) -> bool:
    """Return whether a file or folder is where a library downloads data, and would do so again."""
    parts = PurePosixPath(path).parts
    return any(
        parts[at : at + len(names)] == names
        for names in _DOWNLOADS
        for at in range(len(parts) - len(names) + 1)
    )
