"""Overlaps of datasets in words."""

from __future__ import annotations

import pytest

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Dataset, Overlap


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
