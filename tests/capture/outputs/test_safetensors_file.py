"""safetensors are read by their tensors, and never beyond the file."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import pytest

from tests.support.archives import safetensors_bytes
from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.safetensors_file import safetensors_contents
from wandb_repro.errors import DigestError

A, B = np.arange(3, dtype="f4"), np.ones((2, 2), dtype="f4")


def read(content: bytes, **limits: Any) -> Contents | None:
    return safetensors_contents(io.BytesIO(content), len(content), OutputBudget(**limits))


def test_the_order_of_tensors_does_not_count() -> None:
    one, two = read(safetensors_bytes({"a": A, "b": B})), read(safetensors_bytes({"b": B, "a": A}))
    assert one is not None
    assert one == two
    assert [part.name for part in one.parts] == ["a", "b"]


def test_the_tensor_that_differs_is_known() -> None:
    one, two = read(safetensors_bytes({"a": A, "b": B})), read(safetensors_bytes({"a": A, "b": -B}))
    assert one is not None
    assert two is not None
    assert [a.name for a, b in zip(one.parts, two.parts, strict=True) if a != b] == ["b"]


def test_shape_and_metadata_count() -> None:
    contents = (
        read(safetensors_bytes({"b": B})),
        read(safetensors_bytes({"b": np.ones(4, dtype="f4")})),
        read(safetensors_bytes({"b": B}, {"step": "1"})),
    )
    assert len({found.digest for found in contents if found is not None}) == 3


def with_header(header: Any, body: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def entry(begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [1], "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 1 << 63) + b"{}",
        struct.pack("<Q", 100) + b"{}",
        struct.pack("<Q", 2) + b"{x",
        with_header([]),
        with_header({"a": 1}),
        with_header({"a": entry(0, 8)}, b"1234"),
        with_header({"a": entry(4, 0)}, b"1234"),
        with_header({"a": entry(-4, 0)}, b"1234"),
        with_header({"a": entry("0", 4)}, b"1234"),
        with_header({"a": entry(0, 4), "b": entry(0, 4)}, b"1234"),
        with_header({"a": entry(0, 4)}, b"12345"),
        with_header({"a": {"dtype": "F32", "shape": [1]}}, b"1234"),
    ],
)
def test_a_damaged_file_is_none(content: bytes) -> None:
    assert read(content) is None


def test_more_than_the_budget_is_refused() -> None:
    with pytest.raises(DigestError, match="more than"):
        read(safetensors_bytes({"a": np.zeros(4000, dtype="f4")}), file_bytes=1000)
