"""Writes and reads a notebook's cells: in the capsule, or only on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from wandb_repro.errors import RefusedError
from wandb_repro.files import open_regular, sha256_of_bytes, write_atomically
from wandb_repro.manifest.command import MOST_BYTES, Cells, CellsFile
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import local_bundle


def write_cells(
    capsule: Capsule, cells: Cells, *, redacted: tuple[int, ...], kept: Literal["run", "local"]
) -> CellsFile:
    """Write the cells and return their record for the manifest.

    Raises:
        OSError: they cannot be written, or are too many.
    """
    document = cells.to_bytes()
    if len(document) > MOST_BYTES:
        raise OSError(f"the notebook's cells have more than {MOST_BYTES // 2**20} MiB")
    file = CellsFile(
        name=capsule.cells.name,
        sha256=sha256_of_bytes(document),
        size_bytes=len(document),
        count=len(cells.cells),
        redacted=redacted,
        kept=kept,
    )
    path = _local(file) if kept == "local" else capsule.cells
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, document)
    return file


def cells_file(capsule: Capsule, file: CellsFile) -> Path:
    """Return the path of the cells; an exported capsule also holds cells kept locally."""
    if file.kept == "local" and not capsule.cells.exists():
        return _local(file)
    return capsule.cells


def _local(file: CellsFile) -> Path:
    return local_bundle(file.sha256).with_suffix(".cells.json")


def read_cells(capsule: Capsule, file: CellsFile) -> Cells:
    """Return a notebook's cells, verified by the digest in the manifest.

    Raises:
        RefusedError: they are missing, or their digest differs.
        ManifestError: their format is invalid.
    """
    path = cells_file(capsule, file)
    try:
        with open_regular(path) as stream:
            document = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise RefusedError(
            f"The notebook's cells are not here: {path}: {error.strerror}.",
            hint='They were recorded with code="local": rerun it on the machine that recorded it.'
            if file.kept == "local"
            else "Fetch the run again, or copy its whole folder.",
        ) from error
    if sha256_of_bytes(document) != file.sha256:
        raise RefusedError(
            f"{path} does not hold the cells that its manifest was written for.",
            hint="It was cut off or changed after it was recorded, or the kernel was killed "
            "while they were written.",
        )
    return Cells.from_bytes(document)
