"""A checkpoint is whole or not there, and believed only if every byte is what was written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.store.checkpoint_file import Piece, read_checkpoint, write_checkpoint
from wandb_repro.store.checkpoint_folder import Shelf

STATE = {"epoch": 3, "large": 2**200, "exact": 0.1}
PIECES = [
    Piece("float32", (2, 3), memoryview(bytes(range(24)))),
    Piece("uint8", (0,), memoryview(b"")),
    Piece("bfloat16", (), memoryview(b"\x80\x3f")),
]


def written(folder: Path, *epochs: int, keep: int = 99) -> Shelf:
    shelf = Shelf(folder / "ckpt", keep)
    for epoch in epochs:
        shelf.write(1, epoch, {**STATE, "epoch": epoch}, PIECES)
    return shelf


def epochs_of(shelf: Shelf) -> list[int]:
    return [one.epoch for one in shelf.written(1)]


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


def test_the_last_ones_and_the_best_are_kept(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1, 2, 3, 4, 5, keep=2)

    gone = shelf.tidy(1, best=2)

    assert epochs_of(shelf) == [2, 4, 5]
    assert [(it.written.epoch, it.reason) for it in gone] == [
        (1, "deleted: only the last 2 and the best are kept"),
        (3, "deleted: only the last 2 and the best are kept"),
    ]


def test_the_newest_damaged_one_is_passed_over_and_named(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1, 2, 3)
    for one in shelf.written(1)[1:]:
        one.path.write_bytes(one.path.read_bytes()[:-1])
    passed: list[str] = []

    found = shelf.newest(1, passed.append)

    assert found is not None
    assert found[0].epoch == 1
    assert [why.split(" is ")[0][-10:] for why in passed] == ["00003.ckpt", "00002.ckpt"]
    assert shelf.newest(2, passed.append) is None


def test_git_passes_the_folder_over_and_what_a_kill_left_is_taken_away(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1)
    torn = shelf.folder / ".fit-1-epoch-00002.ckpt.7.tmp"
    torn.write_bytes(b"half")

    written(tmp_path, 2)

    assert not torn.exists()
    assert (shelf.folder / ".gitignore").read_text() == "*\n"


def test_what_was_there_is_set_aside_whole(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1, 2)
    shelf.mark("runs")

    aside = shelf.set_aside()

    earlier = shelf.folder / "earlier-1"
    assert aside == earlier
    assert sorted(it.name for it in earlier.iterdir()) == [
        "fit-1-epoch-00001.ckpt",
        "fit-1-epoch-00002.ckpt",
        "training.json",
    ]
    assert epochs_of(shelf) == []
    assert shelf.set_aside() is None


def test_only_a_script_that_said_so_has_ended(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1)
    assert not shelf.has_ended
    shelf.mark("runs")
    assert not shelf.has_ended
    shelf.mark("ended")
    assert shelf.has_ended
    (shelf.folder / "training.json").write_text("[")
    assert not shelf.has_ended
