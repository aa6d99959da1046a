"""A notebook's cells as a file of the capsule, or kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wandb_repro.errors import RefusedError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.command import Cell, Cells
from wandb_repro.store import cells as cells_module
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import cells_file, read_cells, write_cells

CELLS = Cells(cells=(Cell(source="x = 1"), Cell(source="print(x)")))


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    return Capsule(tmp_path / "repro")


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_cells_are_read_back_as_they_were_written(capsule: Capsule) -> None:
    file = write_cells(capsule, CELLS, redacted=(2,), kept="run")

    assert read_cells(capsule, file) == CELLS
    assert (file.count, file.redacted, file.kept) == (2, (2,), "run")
    assert file.sha256 == sha256_of_file(capsule.cells)
    assert file.size_bytes == capsule.cells.stat().st_size


def test_cells_that_are_kept_local_never_lie_in_the_capsule(
    capsule: Capsule, tmp_path: Path
) -> None:
    file = write_cells(capsule, CELLS, redacted=(), kept="local")

    assert not capsule.cells.exists()
    assert cells_file(capsule, file).is_relative_to(tmp_path / "data")
    assert read_cells(capsule, file) == CELLS


def test_an_export_holds_those_that_were_kept_local_too(capsule: Capsule) -> None:
    file = write_cells(capsule, CELLS, redacted=(), kept="local")
    capsule.folder.mkdir()
    capsule.cells.write_bytes(CELLS.to_bytes())

    assert cells_file(capsule, file) == capsule.cells


@pytest.mark.parametrize(
    ("kept", "hint"), [("run", "Fetch the run again"), ("local", "machine that recorded it")]
)
def test_cells_that_are_gone_are_refused_with_what_to_do(
    kept: str, hint: str, capsule: Capsule
) -> None:
    file = write_cells(capsule, CELLS, redacted=(), kept="local" if kept == "local" else "run")
    cells_file(capsule, file).unlink()

    with pytest.raises(RefusedError, match="are not here") as caught:
        read_cells(capsule, file)
    assert hint in caught.value.hint


def test_other_cells_than_the_recorded_ones_are_refused(capsule: Capsule) -> None:
    file = write_cells(capsule, CELLS, redacted=(), kept="run")
    capsule.cells.write_bytes(Cells(cells=CELLS.cells[:1]).to_bytes())

    with pytest.raises(RefusedError, match="does not hold the cells"):
        read_cells(capsule, file)


def test_too_many_cells_are_not_written(capsule: Capsule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells_module, "MOST_BYTES", 10)

    with pytest.raises(OSError, match="have more than"):
        write_cells(capsule, CELLS, redacted=(), kept="run")
    assert not capsule.folder.exists()


@pytest.mark.timeout(20)  # without a writer, a pipe is opened for ever
def test_a_pipe_in_the_place_of_cells_is_refused(capsule: Capsule) -> None:
    file = write_cells(capsule, CELLS, redacted=(), kept="run")
    capsule.cells.unlink()
    os.mkfifo(capsule.cells)
    with pytest.raises(RefusedError, match="it is not a file"):
        read_cells(capsule, file)
