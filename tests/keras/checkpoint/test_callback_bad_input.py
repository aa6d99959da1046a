"""What is wrong with a checkpoint is one clear sentence, and the training continues."""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.support.resuming import Folder, bits_of, folder
from tests.support.training import dense_model

__all__ = ["folder"]


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    told = capsys.readouterr().err.splitlines()
    return [line.removeprefix("wandb_repro: ") for line in told if "wandb_repro: " in line]


def wide() -> Any:
    import keras

    layers: Any = cast("Any", keras).layers
    return dense_model(layers.Dense(5), layers.Dense(1))


def other_activation() -> Any:
    import keras

    layers: Any = cast("Any", keras).layers
    return dense_model(layers.Dense(3), layers.ReLU(), layers.Dense(1))


def test_a_checkpoint_of_another_architecture_is_set_aside(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train()
    said(capsys)

    model = folder.train(model=wide)

    (line,) = said(capsys)
    assert line.startswith("warning: cannot resume from fit-1-epoch-00002.ckpt: it holds ")
    assert line.endswith(
        f"; training starts over, and the old files are kept in {folder.path}/earlier-1"
    )
    assert "float32[4, 3], and here" in line
    assert len(model.history.epoch) == 2
    assert len(list((folder.path / "earlier-1").glob("*.ckpt"))) == 2
    assert len(folder.names()) == 2


def test_a_checkpoint_of_other_layers_with_the_same_weights_is_set_aside(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train()
    said(capsys)

    folder.train(model=other_activation)

    (line,) = said(capsys)
    assert "its layers differ: Dense there, ReLU here" in line


def test_a_resume_with_another_seed_goes_on_and_says_how_to_be_exact(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train(2)
    said(capsys)

    model = folder.train(3, seed=4)

    going, warning = said(capsys)
    assert going.startswith("resuming after epoch 2")
    assert "not exactly: it was seeded with 3 and this process with 4" in warning
    assert "give it seed=3, start again" in warning
    assert model.history.epoch == [0, 1, 2]


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = folder.train(4)
    folder.path.joinpath("fit-1-epoch-00004.ckpt").write_bytes(b"wandb_repro checkpoint 1\n" * 9)
    newest = folder.path / "fit-1-epoch-00003.ckpt"
    newest.write_bytes(newest.read_bytes()[:-7])
    said(capsys)

    again = folder.train(4)

    first, second, going = said(capsys)
    assert "00004.ckpt is damaged" in first
    assert "00003.ckpt is damaged" in second
    assert going.startswith("resuming after epoch 2")
    assert bits_of(again) == bits_of(whole)


@contextmanager
def small_disk(most_bytes: int) -> Generator[None]:
    """Have the system refuse any file that is larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_without_room_the_training_goes_on_and_older_ones_stay(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    free = folder.train(3)
    said(capsys)
    for name in folder.names()[2:]:
        (folder.path / name).unlink()

    with small_disk(1024):
        model = folder.train(3)

    lines = said(capsys)
    assert lines[0].startswith("resuming after epoch 2")
    assert lines[1] == (
        f"warning: no checkpoint in {folder.path}: File too large; training continues without it"
    )
    assert len(lines) == 2
    assert bits_of(model) == bits_of(free)
    assert folder.names() == ["fit-1-epoch-00001.ckpt", "fit-1-epoch-00002.ckpt"]
    assert not list(folder.path.glob(".*.tmp"))


def test_a_model_without_variables_has_no_checkpoint(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    def empty() -> Any:
        model = dense_model(cast("Any", keras).layers.Flatten(), optimizer=None)
        model.optimizer = None
        return model

    folder.train(model=empty)

    assert folder.names() == []
    assert said(capsys) == [
        f"warning: no checkpoint in {folder.path}: the model has no variables; training continues "
        "without it"
    ]


def test_a_monitor_that_is_no_metric_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train(saving={"monitor": "val_f1"})

    (line,) = said(capsys)
    assert "no best checkpoint is kept: 'val_f1' is not one of the metrics loss" in line
