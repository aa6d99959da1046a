from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xxhash

from wandb_repro.capture.dataset.columns import Stream, is_array, whole_column
from wandb_repro.digest import LEAF_ALGORITHM
from wandb_repro.errors import DigestError


def _streamed(*pieces: Any) -> str:
    stream = Stream("x")
    for piece in pieces:
        stream.add(piece)
    return stream.digest().digest


def test_a_whole_column_has_dtype_shape_and_one_id_a_row() -> None:
    record, ids = whole_column("x", np.zeros((3, 2), "f4"))
    assert (record.role, record.dtype, record.shape) == ("x", "float32", (3, 2))
    assert record.digest.startswith(f"{LEAF_ALGORITHM}:")
    assert ids.shape == (3,)
    assert ids.dtype == np.uint64
    assert len(set(ids.tolist())) == 1


def test_a_scalar_is_one_row() -> None:
    record, ids = whole_column("x", np.array(2.5))
    assert (record.shape, ids.shape) == ((), (1,))


@pytest.mark.parametrize("rows", [np.eye(6, 2), np.array(["a", None] * 3, object)])
def test_a_stream_has_one_digest_however_it_is_cut(rows: Any) -> None:
    assert _streamed(rows) == _streamed(rows[:1], rows[1:5], rows[5:])
    assert _streamed(rows) != _streamed(rows[::-1])


def test_byte_order_in_memory_changes_nothing_and_dtype_does() -> None:
    rows = np.arange(4, dtype="<i4")
    assert _streamed(rows) == _streamed(rows.astype(">i4"))
    assert _streamed(rows) != _streamed(rows.astype("<i8"))


def test_the_digest_of_a_stream_is_the_one_that_is_documented() -> None:
    rows = np.array([[1, 2]], "<u2")
    head = b"wrepro-stream-xxh3-128-1\0uint16\0" + b"\1\0\0\0" + (2).to_bytes(8, "little")
    expected = xxhash.xxh3_128_hexdigest(head + rows.tobytes() + (1).to_bytes(8, "little"))
    assert _streamed(rows) == f"wrepro-stream-xxh3-128-1:{expected}"


def test_where_the_shape_changes_the_stretches_have_a_root() -> None:
    record = Stream("x")
    record.add(np.zeros((2, 3)))
    record.add(np.zeros((1, 4)))
    found = record.digest()
    assert found.shape == (3,)
    assert found.digest.startswith("wrepro-root-")


def test_text_and_bytes_differ_and_so_do_missing_and_empty() -> None:
    digests = [
        _streamed(np.array(values, object))
        for values in (["a", "b"], [b"a", b"b"], ["ab", ""], ["a", None], ["a", ""])
    ]
    assert len(set(digests)) == 5
    assert _streamed(np.array([None], object)) == _streamed(np.array([float("nan")], object))


def test_python_objects_have_no_digest() -> None:
    with pytest.raises(DigestError, match="Python objects"):
        whole_column("x", np.array([{}, {}], object))


def test_what_only_looks_like_a_list_is_no_array() -> None:
    assert is_array(np.zeros(1))
    assert not is_array([1.0])
    assert not is_array(memoryview(b"x"))
