from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wandb_repro.capture.dataset.parquet import is_parquet, rows_of_parquet
from wandb_repro.errors import DigestError


@pytest.mark.parametrize(
    ("name", "parquet"),
    [("a.parquet", True), ("A.PQ", True), ("a.csv", False), ("parquet", False)],
)
def test_a_parquet_file_is_known_by_its_name(name: str, parquet: bool) -> None:
    assert is_parquet(name) is parquet


def _ids(path: Path) -> list[int]:
    return [int(row) for piece in rows_of_parquet(str(path)) for row in piece.ids]


def test_equal_rows_have_equal_ids_also_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.parquet"
    pl.DataFrame({"a": [1, 2, 1, None], "b": ["u", "v", "u", None]}).write_parquet(file)
    ids = _ids(file)
    assert ids[0] == ids[2]
    assert len(set(ids)) == 3
    monkeypatch.setattr("wandb_repro.capture.dataset.parquet._PIECE_ROWS", 1)
    assert _ids(file) == ids
    assert [piece.ids.dtype for piece in rows_of_parquet(str(file))] == [np.uint64] * 4


def test_what_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(b"no table")
    with pytest.raises(DigestError, match="cannot be read as Parquet"):
        list(rows_of_parquet(str(file)))
    monkeypatch.delitem(__import__("sys").modules, "polars")
    with pytest.raises(DigestError, match="imported polars"):
        list(rows_of_parquet(str(file)))
