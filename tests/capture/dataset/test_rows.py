"""Rows by their content."""

from __future__ import annotations

from typing import Any, cast

import numpy
import pytest

from wandb_repro.capture.dataset.rows import Kept, OrderFree, paired, row_ids

np: Any = cast("Any", numpy)

WIDTHS = [1, 3, 8, 12, 64, 256, 257, 1000]
"""Bytes: below, at and above where the way of hashing changes."""

GOLDEN_NARROW = [13197103002987309574, 5783097695075636384]
GOLDEN_WIDE = [16130820809336480011, 10000923407331998275]
GOLDEN_ORDER_FREE = "wrepro-rows-1:a9b8126e768fc247f6943f151a45111d"


def _rows(count: int, width: int) -> Any:
    return np.random.default_rng(width).integers(0, 256, (count, width), "u1")


def _order_free(*ids: Any) -> str:
    rows = OrderFree()
    for some in ids:
        rows.add(some)
    return rows.digest()


@pytest.mark.parametrize("width", WIDTHS)
def test_equal_rows_have_equal_numbers_wherever_they_stand(width: int) -> None:
    rows = _rows(3000, width)
    order = np.random.default_rng(0).permutation(len(rows))
    assert (row_ids(rows)[order] == row_ids(rows[order])).all()


@pytest.mark.parametrize("width", WIDTHS)
def test_one_bit_changes_a_rows_number_and_no_other(width: int) -> None:
    rows = _rows(50, width)
    before = row_ids(rows)
    for bit in range(0, width * 8, 7):
        changed = rows.copy()
        changed[20, bit // 8] ^= 1 << bit % 8
        assert list(np.flatnonzero(row_ids(changed) != before)) == [20]


@pytest.mark.parametrize("width", [16, 300])
def test_different_rows_have_different_numbers(width: int) -> None:
    rows = np.zeros((20_000, width), "u1")
    rows[:, :4] = np.arange(20_000, dtype="<u4").view("u1").reshape(-1, 4)
    assert len(set(row_ids(rows).tolist())) == 20_000


def test_two_flipped_signs_do_not_cancel() -> None:
    rows = np.ones((2, 8), "f4")
    rows[1, [0, 1]] *= -1
    assert len(set(row_ids(rows).tolist())) == 2


def test_dtype_and_shape_count() -> None:
    ones = np.ones((4, 8), "i4")
    ids = {int(row_ids(array)[0]) for array in (ones, ones.view("u4"), ones.reshape(4, 2, 4))}
    assert len(ids) == 3


def test_byte_order_and_layout_do_not_count() -> None:
    plain = np.arange(60, dtype="<i4").reshape(10, 6)
    for same in (plain.astype(">i4"), np.asfortranarray(plain), plain.repeat(2, axis=1)[:, ::2]):
        assert (row_ids(same) == row_ids(plain)).all()


def test_rows_of_nothing_and_no_rows() -> None:
    assert row_ids(np.empty((0, 5))).shape == (0,)
    assert row_ids(np.empty((3, 0))).shape == (3,)


def test_golden_numbers() -> None:
    """They stand in records: they never change."""
    assert row_ids(np.arange(6, dtype="f4").reshape(2, 3)).tolist() == GOLDEN_NARROW
    assert row_ids(np.arange(200, dtype="f4").reshape(2, 100)).tolist() == GOLDEN_WIDE
    assert _order_free(row_ids(np.arange(6, dtype="i8"))) == GOLDEN_ORDER_FREE


def test_the_digest_is_free_of_order_and_of_how_rows_come() -> None:
    ids = row_ids(_rows(1000, 8))
    assert _order_free(ids) == _order_free(ids[::-1]) == _order_free(ids[:1], ids[1:])


def test_the_digest_counts_rows_that_stand_there_twice() -> None:
    ids = row_ids(_rows(10, 8))
    twice = np.concatenate([ids, ids[:1], ids[:1]])
    assert len({_order_free(ids), _order_free(twice), _order_free(twice[:-1])}) == 3


def test_a_target_belongs_to_its_row() -> None:
    x, y = row_ids(_rows(10, 8)), row_ids(np.arange(10))
    swapped = y[[1, 0, *range(2, 10)]]
    assert _order_free(paired(x, y)) != _order_free(paired(x, swapped))


def test_rows_of_one_part_are_found_in_another() -> None:
    rows = row_ids(_rows(1000, 40))
    one, two = Kept(), Kept()
    one.add(rows[:600])
    two.add(rows[590:])
    assert (one.also_in(two), two.also_in(one)) == (10, 10)
    assert Kept().also_in(one) == one.also_in(Kept()) == 0


def test_above_the_limit_the_count_is_estimated_from_the_same_rows() -> None:
    rows = row_ids(_rows(40_000, 40))
    one, two = Kept(limit=2_000), Kept(limit=2_000)
    one.add(rows[:30_000])
    for chunk in np.split(rows[20_000:], 20):
        two.add(chunk)
    assert one.halvings >= 4
    assert abs(one.also_in(two) - 10_000) < 2_500
