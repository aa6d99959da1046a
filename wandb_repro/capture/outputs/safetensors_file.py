"""Reads safetensors: a JSON header, then the tensors' bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

import xxhash

from wandb_repro.capture.outputs.contents import PIECE_BYTES, Contents, Part, by_parts
from wandb_repro.capture.outputs.json_config import config_digest
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.digest import FILE_ALGORITHM

_MOST_HEADER_BYTES = 32 << 20
_LENGTH_BYTES = 8


class _Tensor(NamedTuple):
    name: str
    header: str
    begin: int
    end: int


def safetensors_contents(file: BinaryIO, size_bytes: int, budget: OutputBudget) -> Contents | None:
    """Return the tensors of a file; None if it is not valid safetensors.

    Raises:
        DigestError: it is more than the budget.
        OSError: it cannot be read.
    """
    header = _header(file, size_bytes, budget)
    if header is None:
        return None
    tensors, metadata, start = header
    parts = [_part(file, tensor, start, budget) for tensor in tensors]
    if metadata is not None:
        parts.append(Part("__metadata__", config_digest(json.dumps(metadata).encode())))
    return by_parts("safetensors", parts)


def _header(
    file: BinaryIO, size_bytes: int, budget: OutputBudget
) -> tuple[list[_Tensor], object, int] | None:
    length = struct.unpack("<Q", file.read(_LENGTH_BYTES).ljust(_LENGTH_BYTES, b"\0"))[0]
    start = _LENGTH_BYTES + length
    if not 0 < length <= _MOST_HEADER_BYTES or start > size_bytes:
        return None
    budget.take(length)
    try:
        entries: object = json.loads(file.read(length))
    except (ValueError, RecursionError):
        return None
    if not isinstance(entries, dict):
        return None
    named = cast("dict[str, object]", entries)
    metadata = named.pop("__metadata__", None)
    tensors = list(_tensors(named, size_bytes - start))
    # Bytes that belong to no tensor, or to two, would not be digested as they stand.
    ends = [0, *(tensor.end for tensor in tensors)]
    whole = all(t.begin == end for t, end in zip(tensors, ends, strict=False))
    if len(tensors) != len(named) or not whole or ends[-1] != size_bytes - start:
        return None
    return tensors, metadata, start


def _tensors(named: dict[str, object], size_bytes: int) -> Iterator[_Tensor]:
    found: list[_Tensor] = []
    for name, entry in named.items():
        if not isinstance(entry, dict):
            return
        fields = cast("dict[str, object]", entry)
        offsets = fields.get("data_offsets")
        if not isinstance(offsets, list):
            return
        match cast("list[object]", offsets):
            case [int(begin), int(end)] if 0 <= begin <= end <= size_bytes:
                header = f"{fields.get('dtype')}\0{fields.get('shape')}\0"
                found.append(_Tensor(name, header, begin, end))
            case _:
                return
    yield from sorted(found, key=lambda tensor: (tensor.begin, tensor.end))


def _part(file: BinaryIO, tensor: _Tensor, start: int, budget: OutputBudget) -> Part:
    budget.take_member()
    budget.take(tensor.end - tensor.begin)
    hasher = xxhash.xxh3_128(f"{FILE_ALGORITHM}\0{tensor.header}".encode())
    file.seek(start + tensor.begin)
    left = tensor.end - tensor.begin
    while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
        hasher.update(piece)
        left -= len(piece)
    return Part(tensor.name, hasher.hexdigest())
