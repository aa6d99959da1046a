"""A folder of checkpoints: the last ones and the best are kept, damaged ones are passed over."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.store.checkpoint_file import Piece
from wandb_repro.store.checkpoint_folder import Shelf

PIECES = [Piece("float32", (2, 3), memoryview(bytes(range(24))))]


def written(folder: Path, *epochs: int, keep: int = 99) -> Shelf:
    shelf = Shelf(folder / "ckpt", keep)
    for epoch in epochs:
        shelf.write(1, epoch, {"epoch": epoch}, PIECES)
    return shelf


def epochs_of(shelf: Shelf) -> list[int]:
    return [checkpoint.epoch for checkpoint in shelf.written(1)]


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


def test_the_epoch_that_the_training_went_on_from_is_kept(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1, 2, 3, keep=1)

    gone = shelf.tidy(1, best=None, begun_with=1)

    assert epochs_of(shelf) == [1, 3]
    assert [it.reason for it in gone] == ["deleted: only the last 1 are kept"]


def test_only_checkpoints_are_cleared(tmp_path: Path) -> None:
    shelf = written(tmp_path, 1, 2)
    shelf.mark("ended")
    (shelf.folder / "notes.txt").touch()

    assert shelf.clear() == 2
    assert sorted(path.name for path in shelf.folder.iterdir()) == [".gitignore", "notes.txt"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "gone", 1)

    assert (shelf.written(1), shelf.set_aside(), shelf.clear()) == ([], None, 0)
    assert not shelf.folder.exists()
