"""When the callback saves, when it resumes, and when it starts over."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.resuming import Folder, folder
from tests.support.training import data
from wandb_repro.errors import UsageError

__all__ = ["folder"]


@pytest.mark.parametrize("options", [{"keep": 0}, {"every": 0}, {"mode": "up"}])
def test_an_impossible_option_is_refused_at_once(options: dict[str, Any], folder: Folder) -> None:
    from wandb_repro.keras import ReproCheckpoint

    with pytest.raises(UsageError):
        ReproCheckpoint(folder.path, **options)


def test_a_script_that_ended_starts_over_and_one_that_was_stopped_resumes(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    from wandb_repro.store.checkpoint_folder import Shelf

    folder.train(2)
    assert folder.train(3).history.epoch == [0, 1, 2]
    assert "resuming after epoch 2" in capsys.readouterr().err
    Shelf(folder.path, 3).mark("ended")

    folder.train(1)

    assert "has finished; this one starts over" in capsys.readouterr().err
    assert folder.names() == ["fit-1-epoch-00001.ckpt"]


def test_resume_false_starts_over_and_keeps_the_old_files(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train(2)

    folder.train(1, saving={"resume": False})

    assert "resume=False; training starts over" in capsys.readouterr().err
    assert folder.names() == ["fit-1-epoch-00001.ckpt"]
    assert (folder.path / "earlier-1" / "fit-1-epoch-00002.ckpt").exists()


def test_the_best_and_the_last_checkpoint_are_both_kept(folder: Folder) -> None:
    import keras

    def rate(epoch: int) -> float:
        return 0.0 if epoch < 2 else 1.0  # the loss is best before it goes up

    schedule: Any = cast("Any", keras).callbacks.LearningRateScheduler(rate)
    x, y = data()
    folder.train(5, schedule, saving={"keep": 1}, x=x, y=y * 100, validation_data=(x, y * 0))

    assert "fit-1-epoch-00005.ckpt" in folder.names()
    assert len(folder.names()) == 2


def test_every_second_epoch_is_saved_and_the_last_one(folder: Folder) -> None:
    folder.train(5, saving={"every": 2, "keep": 9})

    assert folder.names() == [f"fit-1-epoch-0000{epoch}.ckpt" for epoch in (2, 4, 5)]


def test_the_epoch_at_which_a_callback_stops_the_training_is_saved_though_not_due(
    folder: Folder,
) -> None:
    import keras

    class Stopping(cast("Any", keras).callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    folder.train(6, Stopping(), saving={"every": 4})

    assert folder.names() == ["fit-1-epoch-00002.ckpt"]


def test_a_training_that_was_stopped_by_a_callback_is_not_continued(folder: Folder) -> None:
    import keras

    class Stopping(cast("Any", keras).callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    folder.train(3, Stopping())

    assert folder.train(3).history.epoch == [0]
