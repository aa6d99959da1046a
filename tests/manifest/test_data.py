"""Overlaps of datasets and folders in words, and what of a folder is compared."""

from __future__ import annotations

import pytest

from tests.support.data_records import folder_record
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import (
    Dataset,
    Overlap,
    can_be_moved,
    is_part_of,
    is_used_up,
)


@pytest.mark.parametrize(
    ("rows", "estimated", "words"),
    [
        (1, False, "1 row of 'test' is also in 'train'"),
        (3, False, "3 rows of 'test' are also in 'train'"),
        (12_000, True, "about 12,000 rows of 'test' are also in 'train'"),
        (1, True, "about 1 rows of 'test' are also in 'train'"),
    ],
)
def test_an_overlap_says_how_many_rows_are_in_both(rows: int, estimated: bool, words: str) -> None:
    overlap = Overlap(one="train", two="test", rows_of_one=9, rows_of_two=rows, estimated=estimated)

    assert str(overlap) == words


def test_a_dataset_of_the_first_format_is_written_again_as_it_was() -> None:
    old = {"name": "train", "kind": "numpy", "arrays": (), "digest": "a:1"}

    dataset = Dataset.model_validate(old)

    assert dataset.model_dump() == old
    assert isinstance(dataset.rows, Unavailable)


def test_a_folder_in_words() -> None:
    assert str(folder_record(size_bytes=2_100_000)) == "data/ (2 files, 2.1 MB)"
    assert str(folder_record(count=1)) == "data/ (1 file, 6 bytes)"
    assert str(folder_record(count=0)) == "data/"


def test_what_a_run_wrote_is_no_part_of_the_folder_that_it_read() -> None:
    assert is_part_of(folder_record(), "x")
    written = folder_record(written=("log",))
    assert (is_part_of(written, "log"), is_part_of(written, "x")) == (False, True)
    known = folder_record(written=("log",), each={"a": "12"})
    assert (is_part_of(known, "a"), is_part_of(known, "another run's")) == (True, False)


def test_a_folder_that_could_not_be_listed_is_not_used_up() -> None:
    unknown = Unavailable(unavailable="too many files")
    assert not is_used_up(folder_record())
    assert is_used_up(folder_record(count=0))
    assert not is_used_up(folder_record(count=0, names=unknown))


def test_only_a_folder_at_a_relative_path_can_be_moved() -> None:
    assert can_be_moved(folder_record(path="../data"))
    assert not can_be_moved(folder_record(path="/data"))
