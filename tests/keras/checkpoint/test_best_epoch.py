from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wandb_repro.errors import UsageError
from wandb_repro.keras.checkpoint.best_epoch import BestEpoch


def best_of(
    values: list[float], monitor: str | None = None, mode: str = "auto", name: str = "loss"
) -> int | None:
    best = BestEpoch(monitor, mode)
    for epoch, value in enumerate(values, 1):
        best.see(epoch, {name: value}, SimpleNamespace(metrics=[]))
    return best.epoch


@pytest.mark.parametrize(
    ("name", "mode", "epoch"),
    [
        ("loss", "auto", 2),
        ("val_accuracy", "auto", 3),
        ("f1_score", "auto", 3),
        ("val_accuracy", "min", 2),
        ("loss", "max", 3),
    ],
)
def test_the_direction_follows_the_mode_else_the_name(name: str, mode: str, epoch: int) -> None:
    assert best_of([0.5, 0.25, 0.75], name, mode, name) == epoch


def test_a_metric_that_states_its_direction_is_believed() -> None:
    metric = SimpleNamespace(name="mystery", _direction="up")
    model = SimpleNamespace(metrics=[SimpleNamespace(name="compiled", metrics=[metric])])
    best = BestEpoch("val_mystery", "auto")
    assert [best.see(epoch, {"val_mystery": epoch}, model) for epoch in (1, 2)] == [True, True]


def test_the_validation_loss_decides_where_there_is_one() -> None:
    best = BestEpoch(None, "auto")
    best.see(1, {"loss": 1.0, "val_loss": 2.0}, None)
    assert not best.see(2, {"loss": 0.5, "val_loss": 3.0}, None)


def test_an_equal_value_is_not_better() -> None:
    assert best_of([0.5, 0.5]) == 1


def test_a_missing_metric_is_warned_of_and_no_epoch_is_best(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert best_of([0.5], "val_planted") is None
    assert "'val_planted' is not one of the metrics loss" in capsys.readouterr().err


def test_the_state_makes_another_go_on_comparing() -> None:
    best, resumed = BestEpoch(None, "auto"), BestEpoch(None, "auto")
    best.see(4, {"loss": 0.5}, None)
    assert best.state() == {"epoch": 4, "value": 0.5}
    resumed.restore(best.state())
    assert not resumed.see(5, {"loss": 0.6}, None)
    assert resumed.epoch == 4


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UsageError, match="mode='up' is not one of auto, min, max"):
        BestEpoch(None, "up")


def test_a_value_that_is_not_a_number_is_passed_over() -> None:
    logs: dict[str, Any] = {"loss": "high"}
    assert not BestEpoch(None, "auto").see(1, logs, None)
