"""The checkpoints of one training in a folder, in one process after the other."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest

from wandb_repro.errors import CheckpointError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail_records import Checkpoint
from wandb_repro.recording.checkpoint_series import CheckpointSeries, Taken, end_script
from wandb_repro.recording.fit.fit_recorder import FitRecorder
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.process_state import process
from wandb_repro.store.checkpoint_file import StoredCheckpoint
from wandb_repro.store.checkpoint_folder import Shelf


@pytest.fixture(autouse=True)
def young() -> Generator[None]:
    process.reset()
    yield
    process.reset()


class Recorder:
    """Takes the records of checkpoints."""

    def __init__(self) -> None:
        self.records: list[Checkpoint] = []

    def note_checkpoint(self, record: Checkpoint) -> None:
        self.records.append(record)


def begun(folder: Path, keep: int = 3, **options: Any) -> CheckpointSeries:
    series = CheckpointSeries(folder, keep, **options)
    series.begin(fits)
    return series


def fits(found: StoredCheckpoint) -> None:
    del found


def is_of_another_training(found: StoredCheckpoint) -> None:
    raise CheckpointError(f"epoch {found.state['epoch']} is of another training")


def write(series: CheckpointSeries, epoch: int, **options: Any) -> list[Checkpoint]:
    recorder = Recorder()
    series.write(
        lambda entries: Taken({**entries, "own": "state"}, [], "ab"),
        cast("FitRecorder", recorder),
        epoch=epoch,
        step=epoch * 10,
        **options,
    )
    return recorder.records


def test_what_is_written_is_recorded_and_found_by_the_next_process(tmp_path: Path) -> None:
    (record,) = write(begun(tmp_path), 2, unsaved=["the weather"], best=2)
    assert (record.epoch, record.step, record.root, record.best) == (2, 20, "ab", True)
    assert record.unsaved == ("the weather",)
    assert Path(record.path).stat().st_size == record.size_bytes
    process.reset()
    found = CheckpointSeries(tmp_path, 3).begin(fits)
    assert found is not None
    assert found.stored.digest == record.digest
    expected = {"fit": 1, "epoch": 2, "step": 20, "own": "state", "unsaved": ["the weather"]}
    assert found.stored.state == {**expected, "path": record.path}


def test_the_second_training_of_a_process_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    write(begun(tmp_path), 1)
    assert CheckpointSeries(tmp_path, 3).begin(fits) is None
    process.reset()
    assert begun(tmp_path).folder == tmp_path


def test_older_ones_are_deleted_but_the_best_and_the_one_it_began_with(tmp_path: Path) -> None:
    series = begun(tmp_path, keep=1)
    write(series, 1)
    process.reset()
    series = CheckpointSeries(tmp_path, 1)
    found = series.begin(fits)
    assert found is not None
    series.resumed(found)
    write(series, 2, best=2)
    write(series, 3, best=2)
    records = write(series, 4, best=2)
    gone = [it for it in records if it.reason]
    assert [(it.epoch, it.reason) for it in gone] == [
        (3, "deleted: only the last 1 and the best are kept")
    ]
    assert [it.epoch for it in Shelf(tmp_path, 1).written(1)] == [1, 2, 4]


def test_one_of_another_training_is_set_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(begun(tmp_path), 1)
    process.reset()
    assert CheckpointSeries(tmp_path, 3).begin(is_of_another_training) is None
    told = capsys.readouterr().err
    assert "cannot resume from fit-1-epoch-00001.ckpt: epoch 1 is of another training" in told
    assert (tmp_path / "earlier-1" / "fit-1-epoch-00001.ckpt").exists()


def test_a_rerun_begins_with_the_one_it_was_given_or_stops(tmp_path: Path) -> None:
    (record,) = write(begun(tmp_path), 3)
    start = Beginning(
        fit=4, epoch=3, checkpoint=record.path, checkpoint_sha256=record.digest, is_over=False
    )
    found = CheckpointSeries(tmp_path, 3).begin_rerun(start, fits)
    assert (found.written.fit, found.written.epoch) == (4, 3)
    for check, sha256 in ((is_of_another_training, record.digest), (fits, "0" * 64)):
        other = start.model_copy(update={"checkpoint_sha256": sha256})
        with pytest.raises(RerunStopped):
            CheckpointSeries(tmp_path, 3).begin_rerun(other, check)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (CheckpointError("the model has no variables"), "the model has no variables"),
        (TypeError("a function"), "a function"),
    ],
)
def test_one_that_cannot_be_written_is_recorded_with_the_reason(
    error: Exception, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()

    def fail(entries: dict[str, Any]) -> Taken:
        raise error

    series = begun(tmp_path)
    series.write(fail, cast("FitRecorder", recorder), epoch=1, step=2)
    series.write(fail, None, epoch=1, step=2)
    assert [(it.epoch, it.reason, it.digest) for it in recorder.records] == [(1, reason, "")]
    assert f"{reason}; training continues without it" in capsys.readouterr().err


def test_a_script_has_ended_once_its_trainings_have(tmp_path: Path) -> None:
    series, shelf = begun(tmp_path), Shelf(tmp_path, 3)
    end_script(shelf)
    assert not shelf.has_ended
    series.end()
    end_script(shelf)
    assert shelf.has_ended


def test_a_script_that_failed_has_not_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path).end()
    monkeypatch.setattr("sys.last_type", KeyError, raising=False)
    end_script(Shelf(tmp_path, 3))
    assert not Shelf(tmp_path, 3).has_ended
