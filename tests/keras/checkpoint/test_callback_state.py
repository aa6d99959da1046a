from __future__ import annotations

from typing import Any

import keras

from wandb_repro.keras.checkpoint.callback_state import (
    callback_states,
    names_of_state,
    restore_callbacks,
)

callbacks: Any = keras.callbacks


class Counting(callbacks.Callback):
    saved_attributes = ("count",)

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
        self.count = 0
        self.other = 0


class Stopping(callbacks.EarlyStopping):
    saved_attributes = ("extra",)


def test_named_attributes_come_back_and_others_stay() -> None:
    one, two = Counting(), Counting()
    one.count, one.other = 5, 9
    assert restore_callbacks([two], callback_states([one])) == []
    assert (two.count, two.other) == (5, 0)


def test_a_subclass_of_keras_own_has_its_attributes_and_those_it_names() -> None:
    assert names_of_state(Stopping()) == (
        *("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
        "extra",
    )


def test_an_attribute_that_is_not_there_yet_is_left_out() -> None:
    (state,) = callback_states([callbacks.ReduceLROnPlateau()])
    assert state["kind"] == "keras ReduceLROnPlateau"
    assert set(state["state"]) <= {"wait", "best", "cooldown_counter"}


def test_two_of_a_kind_get_their_states_in_order() -> None:
    saved = [Counting(), Counting()]
    for value, callback in enumerate(saved, 1):
        callback.count = value
    found = [Counting(), Counting()]
    assert restore_callbacks(found, callback_states(saved)) == []
    assert [callback.count for callback in found] == [1, 2]


def test_a_callback_that_was_added_or_removed_is_named() -> None:
    saved = callback_states([Counting(), callbacks.History()])
    assert restore_callbacks([Stopping()], saved) == [
        f"the checkpoint holds no state of {Stopping.__qualname__}",
        f"{Counting.__qualname__} is not among the callbacks any more",
    ]


def test_keras_own_history_is_missed_by_nobody() -> None:
    assert restore_callbacks([callbacks.History()], []) == []
    history = callbacks.History()
    history.history, history.epoch = {"loss": [1.0]}, [0]
    assert restore_callbacks([], callback_states([history])) == []


def test_only_attributes_that_are_known_today_are_set() -> None:
    counting = Counting()
    state = {"kind": Counting.__qualname__, "state": {"count": 3, "planted": 1}}
    assert restore_callbacks([counting], [state]) == []
    assert counting.count == 3
    assert not hasattr(counting, "planted")
