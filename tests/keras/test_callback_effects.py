from __future__ import annotations

from typing import Any

import keras
import pytest

from wandb_repro.keras import ReproCallback
from wandb_repro.keras.callback_effects import changes_between_steps

callbacks: Any = keras.callbacks


class Quiet(callbacks.Callback):
    def on_train_end(self, logs: Any = None) -> None: ...


class Busy(callbacks.Callback):
    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None: ...


class Older(callbacks.Callback):
    def on_batch_end(self, batch: int, logs: Any = None) -> None: ...


def ignore(*_: object) -> None: ...


@pytest.mark.parametrize(
    ("callback", "changes"),
    [
        (callbacks.History(), False),
        (callbacks.EarlyStopping(), False),
        (ReproCallback(), False),
        (Quiet(), False),
        (Busy(), True),
        (Older(), True),
        (callbacks.LambdaCallback(on_epoch_begin=ignore), True),
        (callbacks.LambdaCallback(on_train_end=ignore), False),
        (callbacks.LearningRateScheduler(ignore), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_hook_between_steps_may_change_the_weights_unless_it_is_known(
    callback: object, changes: bool
) -> None:
    assert changes_between_steps(callback) is changes


def test_a_users_own_kind_of_a_known_callback_is_not_known() -> None:
    class EarlyStopping(callbacks.EarlyStopping):
        pass

    assert changes_between_steps(EarlyStopping())
