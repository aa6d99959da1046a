"""Rows of CSV, TFRecord and Parquet files: counted where two parts share them, in any order."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from wandb_repro.capture.dataset import Measured, dataset_of
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.datasets import DataParts

ROWS = [f'{number},"pixel, {number}",{number / 7}' for number in range(100)]


def csv(path: Path, rows: list[str], head: str = "id,name,value") -> Measured:
    path.write_text("\n".join([*([head] if head else []), *rows]) + "\n")
    return dataset_of(path.stem, path=str(path))


def tfrecord(path: Path, rows: list[str]) -> Measured:
    tensorflow: Any = importlib.import_module("tensorflow")
    with tensorflow.io.TFRecordWriter(str(path)) as writer:
        for row in rows:
            writer.write(row.encode())
    return dataset_of(path.stem, path=str(path))


def parquet(path: Path, rows: list[str]) -> Measured:
    polars: Any = importlib.import_module("polars")
    cells = [row.split(",") for row in rows]
    numbers = [int(cell[0]) for cell in cells]
    table = {
        "id": [None if number == 99 else number for number in numbers],
        "name": [
            None if number == 3 else cell[1] for number, cell in zip(numbers, cells, strict=True)
        ],
        "value": [float(cell[-1]) for cell in cells],
    }
    polars.DataFrame(table, schema_overrides={"id": polars.Int32}).write_parquet(path)
    return dataset_of(path.stem, path=str(path))


WAYS = {"csv": csv, "tfrecord": tfrecord, "parquet": parquet}


@pytest.mark.parametrize("kind", WAYS)
def test_rows_that_stand_in_two_files_are_counted(kind: str, tmp_path: Path) -> None:
    parts = DataParts()
    parts.add([WAYS[kind](tmp_path / f"train.{kind}", ROWS[:80])])
    parts.add([WAYS[kind](tmp_path / f"test.{kind}", ROWS[75:])])
    (overlap,) = parts.overlaps
    assert (overlap.rows_of_one, overlap.rows_of_two) == (5, 5)
    assert [part.rows for part in parts.datasets] == [80, 25]


@pytest.mark.parametrize("kind", WAYS)
def test_another_order_changes_one_digest_and_not_the_other(kind: str, tmp_path: Path) -> None:
    one = WAYS[kind](tmp_path / f"a.{kind}", ROWS).dataset
    two = WAYS[kind](tmp_path / f"b.{kind}", ROWS[::-1]).dataset
    assert one.digest != two.digest
    assert one.order_free == two.order_free


def test_a_row_of_a_table_is_the_same_whatever_is_read_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parquet(tmp_path / "a.parquet", ROWS).dataset
    monkeypatch.setattr("wandb_repro.capture.dataset.parquet._PIECE_ROWS", 7)
    pieces = parquet(tmp_path / "b.parquet", ROWS[::-1]).dataset

    assert pieces.rows == 100
    assert pieces.order_free == whole.order_free


def test_a_value_that_is_not_there_is_no_zero(tmp_path: Path) -> None:
    polars: Any = importlib.import_module("polars")
    told: list[object] = []
    for values in ([1, None], [1, 0]):
        path = tmp_path / f"{values[1]}.parquet"
        polars.DataFrame({"id": values}).write_parquet(path)
        told.append(dataset_of("t", path=str(path)).dataset.order_free)

    assert told[0] != told[1]


def test_a_table_without_polars_or_without_a_table_in_it_has_a_reason_and_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet(tmp_path / "a.parquet", ROWS)
    (tmp_path / "b.parquet").write_bytes(b"no table")
    damaged = dataset_of("b", path=str(tmp_path / "b.parquet")).dataset
    monkeypatch.delitem(sys.modules, "polars")
    unread = dataset_of("a", path=str(tmp_path / "a.parquet")).dataset

    assert "cannot be read as Parquet" in str(damaged.rows)
    assert "only after the script imported polars" in str(unread.rows)
    assert isinstance(damaged.digest, str)
    assert isinstance(unread.digest, str)


def test_names_of_columns_are_no_row(tmp_path: Path) -> None:
    assert csv(tmp_path / "a.csv", ROWS).dataset.rows == 100
    assert csv(tmp_path / "b.csv", ROWS, head="").dataset.rows == 100


def test_a_line_end_between_quotes_does_not_end_a_row(tmp_path: Path) -> None:
    assert csv(tmp_path / "a.csv", ['1,"two\nlines"', "2,one"]).dataset.rows == 2


def test_line_ends_of_another_system_are_the_same_rows(tmp_path: Path) -> None:
    one = csv(tmp_path / "a.csv", ROWS).dataset
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.csv").read_bytes().replace(b"\n", b"\r\n"))
    two = dataset_of("b", path=str(tmp_path / "b.csv")).dataset
    assert (one.rows, one.order_free) == (two.rows, two.order_free)


def test_a_folder_of_such_files_has_the_rows_of_all(tmp_path: Path) -> None:
    for name, rows in (("1.csv", ROWS[:60]), ("2.csv", ROWS[60:])):
        csv(tmp_path / name, rows)
    folder = dataset_of("train", path=str(tmp_path)).dataset
    assert (folder.kind, folder.rows) == ("folder", 100)


@pytest.mark.parametrize("content", [b"no record", b"\x05" + b"\0" * 40, b"\xff" * 20])
def test_what_is_no_tfrecord_has_a_reason_and_its_digest(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(content)
    told = dataset_of("a", path=str(tmp_path / "a.tfrecord"))
    assert isinstance(told.dataset.digest, str)
    assert isinstance(told.dataset.rows, Unavailable)
    assert "is compressed, truncated, or not a TFRecord file" in told.dataset.rows.unavailable
    assert told.kept is None


def test_above_a_size_the_first_rows_are_compared_and_that_is_said(tmp_path: Path) -> None:
    csv(tmp_path / "a.csv", ROWS)
    told = dataset_of("a", path=str(tmp_path / "a.csv"), limits=Limits(row_bytes=1000)).dataset
    assert isinstance(told.rows, int)
    assert 0 < told.rows < 100
    assert told.read == "rows of the first 1 MB"


def test_reading_that_takes_too_long_is_a_reason(tmp_path: Path) -> None:
    csv(tmp_path / "a.csv", ROWS * 100)
    told = dataset_of("a", path=str(tmp_path / "a.csv"), limits=Limits(seconds=-1)).dataset
    assert "takes too long" in str(told.digest) + str(told.rows)


def test_a_file_without_rows_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    assert dataset_of("a", path=str(tmp_path / "a.csv")).dataset.rows == 0
