"""Digests of arrays and of whole models."""

from __future__ import annotations

import threading
from typing import Any, TypeAlias, cast

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wandb_repro.digest import (
    LEAF_ALGORITHM,
    ROOT_ALGORITHM,
    Array,
    leaf_digest,
    leaf_digests,
    root_digest,
)
from wandb_repro.errors import DigestError

Numpy: TypeAlias = Any  # an array: what NumPy's stubs make of views and dtypes helps nobody


def digest(array: Numpy) -> str:
    return leaf_digest(cast("Array", array))


def counting(dtype: str) -> Numpy:
    return np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)


def small_float(name: str) -> Numpy:
    return np.array([0.0, 0.5, -1.5, 2.0]).astype(getattr(ml_dtypes, name))


def bits(dtype: str, *patterns: int) -> Numpy:
    return cast("Numpy", np.array(patterns, dtype=dtype.replace("f", "u"))).view(dtype)


# These never change: every trail ever written rests on them. A change to the algorithm takes a
# new name, and a new table.
GOLDEN = {
    "bool": (counting("bool"), "1b19a5fb295dd23da301667a642ab4b6"),
    "uint8": (counting("u1"), "c267d44f9cfa2cf9f2747496a58c6832"),
    "uint16": (counting("u2"), "0b547117ef5822cb8dfe5d8de4f0add5"),
    "uint32": (counting("u4"), "cc7a501554333e94b1f563464b95bd05"),
    "uint64": (counting("u8"), "62259af558e9221078657a9e86d14065"),
    "int8": (counting("i1"), "75dbc0e433253574d69c0a03dea21908"),
    "int16": (counting("i2"), "2f92666a358eb3dc70091b1398cbb81d"),
    "int32": (counting("i4"), "7480b78e8e621c6bfe97aeca8c0e5d15"),
    "int64": (counting("i8"), "6a13f1cb42c799ada774a8faae1f78a4"),
    "float16": (counting("f2"), "f1dee9a03f9d596849367cc106e69da5"),
    "float32": (counting("f4"), "67d32ff0570d2df99a34cb60bcbe1a69"),
    "float64": (counting("f8"), "8479bc5265e230fbbc34822957abb7c8"),
    "complex64": (counting("c8"), "696ca8c34d51cfad152a3e1d6ebb4bc2"),
    "complex128": (counting("c16"), "63d7e5d5edf2f8d35269081c84184b81"),
    "bfloat16": (small_float("bfloat16"), "afc23be76f37f5d0941764ef2c79d1de"),
    "float8_e4m3fn": (small_float("float8_e4m3fn"), "3d23ef652fbe47538aa711844a49f8b7"),
    "float8_e5m2": (small_float("float8_e5m2"), "8e2795ee342ffa5cd589702ea51c9084"),
    "int4": (np.array([0, 1, -8, 7]).astype(ml_dtypes.int4), "f662fc907c315d1401c5ddfe5ce9826b"),
    "text": (np.array(["a", "bc"]), "b58f541f53cf2f46bfb2fbfe50447a58"),
    "dates": (np.array(["2024-02-29"], dtype="M8[s]"), "fea0df59e7b8fcdab31d60cc8c5ca387"),
    "no axis": (np.array(1.5, dtype="f4"), "83ff2176395eb8cb2a715a770f2b781f"),
    "empty": (np.zeros((0,), dtype="f4"), "8d5c638cfbb4482655185990bafef759"),
    "empty matrix": (np.zeros((0, 3), dtype="f4"), "afa0ee80dd17dfdad67d68ec9b76a278"),
    "minus zero": (np.array([-0.0], dtype="f4"), "a3fd21aa3d1e0a74fe5b30f136d5ef8f"),
    "NaN of x86": (bits("f4", 0xFFC00000), "cddb23ca36da413d6bd451eb9576f2b3"),
    "NaN of NumPy": (bits("f4", 0x7FC00000), "1cf623abeed4d2fd19eaae57edd6a7e5"),
    "big-endian": (counting("f4").astype(">f4"), "67d32ff0570d2df99a34cb60bcbe1a69"),
    "Fortran order": (np.asfortranarray(counting("f4")), "67d32ff0570d2df99a34cb60bcbe1a69"),
    "every second row": (
        np.repeat(counting("f4"), 2, axis=0)[::2],
        "67d32ff0570d2df99a34cb60bcbe1a69",
    ),
}


@pytest.mark.parametrize(("array", "expected"), GOLDEN.values(), ids=GOLDEN)
def test_a_digest_is_the_same_for_ever(array: Numpy, expected: str) -> None:
    assert digest(array) == expected


def test_the_names_of_the_algorithms_are_the_same_for_ever() -> None:
    assert (LEAF_ALGORITHM, ROOT_ALGORITHM) == (
        "wrepro-leaf-xxh3-128-1",
        "wrepro-root-xxh3-128-1",
    )


SOME = arrays.arrays(
    dtype=st.sampled_from(["?", "u1", "<i4", ">i4", "<f2", "<f4", "<f8", "<c8"]),
    shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
NOT_EMPTY = arrays.arrays(
    dtype=st.sampled_from(["u1", "<i4", "<f4", "<f8"]),
    shape=arrays.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
)


@given(SOME)
def test_memory_layout_does_not_count(array: Numpy) -> None:
    wide = np.repeat(array[..., np.newaxis], 2, axis=-1)[..., 0]
    backwards = array[::-1].copy()[::-1] if array.ndim else array

    found = {digest(one) for one in (array, np.array(array, order="F"), wide, backwards)}

    assert len(found) == 1


@given(SOME)
def test_byte_order_does_not_count(array: Numpy) -> None:
    swapped = array.astype(array.dtype.newbyteorder("S"))

    assert digest(swapped) == digest(array)


@given(NOT_EMPTY, st.data())
def test_every_bit_counts(array: Numpy, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, array.nbytes * 8 - 1))
    flipped = array.copy()
    flipped.reshape(-1).view("u1")[place // 8] ^= 1 << (place % 8)

    assert digest(flipped) != digest(array)


@given(NOT_EMPTY)
def test_the_shape_counts(array: Numpy) -> None:
    shapes = {array.shape, (array.size,), (1, array.size), (array.size, 1), (*array.shape, 1)}

    found = {digest(array.reshape(shape)) for shape in shapes}

    assert len(found) == len(shapes)


@given(NOT_EMPTY)
def test_the_dtype_counts_even_where_the_bytes_are_equal(array: Numpy) -> None:
    other = {1: "i1", 4: "u4", 8: "u8"}[array.itemsize]

    assert digest(array.view(other)) != digest(array)


def test_zero_and_minus_zero_are_different_bits() -> None:
    assert digest(np.array([0.0])) != digest(np.array([-0.0]))


def weighted_sum(array: Numpy) -> int:
    """Return what some take for a digest: each word times an odd number of its own, added up."""
    words = array.view("u4").astype("u8")
    return int((words * (2 * np.arange(words.size, dtype="u8") + 1)).sum()) % 2**32


@given(st.integers(0, 99), st.integers(0, 99))
def test_two_flipped_signs_cancel_in_a_weighted_sum_and_not_here(one: int, two: int) -> None:
    array: Numpy = np.arange(1, 101, dtype="f4")
    flipped = array.copy()
    flipped[[one, two]] *= -1

    assert weighted_sum(flipped) == weighted_sum(array) or one == two
    assert digest(flipped) != digest(array)


def test_the_array_is_left_as_it_was() -> None:
    array = counting(">f4")
    array.setflags(write=False)

    digest(array)

    assert array.dtype == np.dtype(">f4")


def test_a_number_of_numpy_is_an_array_with_no_axis() -> None:
    assert digest(np.float32(1.5)) == GOLDEN["no axis"][1]


REFUSED = {
    "objects": (np.array([object()]), "Python objects"),
    "objects in a field": (np.zeros(1, dtype=[("a", "O")]), "Python objects"),
    "fields": (np.zeros(1, dtype=[("a", "i4"), ("b", "f4")]), "field by field"),
    "long double": (np.zeros(1, dtype="g"), "padding bytes"),
    "a mask": (np.ma.masked_less(np.array([1, 2]), 2), "masked array"),
}


@pytest.mark.parametrize(("array", "why"), REFUSED.values(), ids=REFUSED)
def test_an_array_whose_bytes_do_not_stand_for_it_is_refused(array: Numpy, why: str) -> None:
    with pytest.raises(DigestError, match=why):
        digest(array)


ONE, TWO = "0" * 31 + "1", "0" * 31 + "2"


def test_a_root_digest_is_the_same_for_ever() -> None:
    leaves = [("trainable", ONE), ("trainable", TWO), ("optimizer", ONE)]

    assert root_digest(leaves) == "35f45621bafc9b315ce962d0b5e85988"


def test_a_root_of_nothing_is_the_same_for_ever() -> None:
    assert root_digest([]) == "1327ffa5f505c006cae29fcb77536015"


def test_the_order_within_a_group_counts() -> None:
    assert root_digest([("a", ONE), ("a", TWO)]) != root_digest([("a", TWO), ("a", ONE)])


def test_the_group_counts() -> None:
    assert root_digest([("a", ONE)]) != root_digest([("b", ONE)])


def test_how_leaves_are_split_into_groups_counts() -> None:
    assert root_digest([("a", ONE), ("a", TWO)]) != root_digest([("a", ONE), ("b", TWO)])


def test_one_leaf_more_counts() -> None:
    assert root_digest([("a", ONE), ("a", ONE)]) != root_digest([("a", ONE)])


def test_many_arrays_have_the_digests_they_have_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    many = [generator.integers(0, 9, size).astype("f4") for size in (7, 3_000_000, 0, 900_000, 1)]
    for cores in (1, 2, 64):
        monkeypatch.setattr("wandb_repro.digest._cores", lambda found=cores: found)

        assert leaf_digests(cast("list[Array]", many)) == [digest(one) for one in many]


def test_one_array_of_many_that_has_no_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.digest._cores", lambda: 2)
    many = [np.zeros(3_000_000), np.array([object()])]

    with pytest.raises(DigestError, match="Python objects"):
        leaf_digests(cast("list[Array]", many))


def test_where_no_thread_can_be_started_this_one_digests_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr("wandb_repro.digest._cores", lambda: 4)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    many = [np.full(3_000_000, at) for at in range(3)]

    assert leaf_digests(cast("list[Array]", many)) == [digest(one) for one in many]
