"""A checkpoint is whole or not there, and believed only if every byte is what was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.store.checkpoint_file import Piece, read_checkpoint, write_checkpoint

STATE = {"epoch": 3, "large": 2**200, "exact": 0.1}
PIECES = [
    Piece("float32", (2, 3), memoryview(bytes(range(24)))),
    Piece("uint8", (0,), memoryview(b"")),
    Piece("bfloat16", (), memoryview(b"\x80\x3f")),
]


def test_a_checkpoint_is_read_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "one.ckpt"
    digest = write_checkpoint(path, STATE, PIECES)

    found = read_checkpoint(path, digest)

    assert found.state == STATE
    assert found.digest == digest
    assert [(it.dtype, it.shape, bytes(it.content)) for it in found.pieces] == [
        (it.dtype, it.shape, bytes(it.content)) for it in PIECES
    ]
    assert [it.name for it in tmp_path.iterdir()] == ["one.ckpt"]


def test_a_checkpoint_that_lost_or_changed_any_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.ckpt"
    write_checkpoint(path, STATE, PIECES)
    whole = path.read_bytes()

    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        for content in (bytes(changed), whole[:place]):
            path.write_bytes(content)
            with pytest.raises(CheckpointError):
                read_checkpoint(path)


def test_another_checkpoint_than_the_recorded_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.ckpt"
    write_checkpoint(path, STATE, PIECES)

    with pytest.raises(CheckpointError, match="is not the checkpoint that was recorded"):
        read_checkpoint(path, "ab" * 32)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, Path.touch], ids=lambda it: it.__name__)
def test_what_is_no_file_of_ours_is_refused(make: object, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "one.ckpt")

    with pytest.raises(CheckpointError, match=r"one\.ckpt"):
        read_checkpoint(tmp_path / "one.ckpt")
