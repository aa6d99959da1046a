"""The checkpoints that a rerun of a part begins with, found and compared with the record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.records import moments, trail
from wandb_repro.errors import RefusedError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.store.checkpoint_file import Piece, write_checkpoint
from wandb_repro.verify.segment import After
from wandb_repro.workflows.find_checkpoints import find_segment
from wandb_repro.workflows.rerun_options import RerunOptions


@pytest.fixture
def saved(tmp_path: Path) -> Checkpoint:
    """A checkpoint of epoch 2 on this disk, and its record."""
    path = tmp_path / "checkpoints" / "fit-1-epoch-00002.ckpt"
    digest = write_checkpoint(path, {}, [Piece("uint8", (1,), memoryview(b"x"))])
    return Checkpoint(fit=1, epoch=2, step=6, path=str(path), digest=digest)


def recorded(saved: Checkpoint) -> Trail:
    return trail([*moments(5), saved])


AFTER_2 = RerunOptions(from_epoch=After(2))


def test_a_training_from_its_start_begins_with_none(saved: Checkpoint) -> None:
    assert find_segment(recorded(saved), RerunOptions()) is None


def test_a_checkpoint_is_found_where_it_was_written(saved: Checkpoint) -> None:
    segment = find_segment(recorded(saved), AFTER_2)

    assert segment is not None
    assert (segment.after, segment.fit) == (2, 1)
    assert [it.checkpoint for it in segment.beginnings] == [saved.path]


def test_a_checkpoint_that_was_moved_is_found_where_the_option_says(
    saved: Checkpoint, tmp_path: Path
) -> None:
    moved = shutil.move(saved.path, tmp_path / "moved.ckpt")
    options = RerunOptions(from_epoch=After(2), checkpoint=Path(moved))

    segment = find_segment(recorded(saved), options)

    assert segment is not None
    assert segment.beginnings[0].checkpoint == str(tmp_path / "moved.ckpt")


def test_a_checkpoint_that_is_gone_is_refused_with_what_to_do(saved: Checkpoint) -> None:
    Path(saved.path).unlink()

    with pytest.raises(RefusedError, match="cannot be read: No such file") as caught:
        find_segment(recorded(saved), AFTER_2)
    assert "--checkpoint FILE" in caught.value.hint


def test_another_checkpoint_than_the_recorded_one_is_refused(saved: Checkpoint) -> None:
    write_checkpoint(Path(saved.path), {}, [Piece("uint8", (1,), memoryview(b"y"))])

    with pytest.raises(RefusedError, match="not the checkpoint that was recorded"):
        find_segment(recorded(saved), AFTER_2)


def test_a_run_that_went_on_says_why_it_needs_a_checkpoint(saved: Checkpoint) -> None:
    Path(saved.path).unlink()
    went_on = Resumed(fit=1, epoch=2, step=6, path=saved.path, digest=saved.digest)

    with pytest.raises(RefusedError, match=r"^The run resumed from a checkpoint\. "):
        find_segment(trail([*moments(5), went_on]), RerunOptions())
