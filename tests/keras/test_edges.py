"""What acts at both ends of Keras' list of callbacks."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from wandb_repro.keras.edges import Actions, restore, surround
from wandb_repro.keras.fit_frame import FitFrame


class Noting(keras.callbacks.Callback):
    """Notes what it is called for."""

    def __init__(self, notes: list[str], name: str = "theirs") -> None:
        super().__init__()
        self.notes = notes
        self.name = name

    def note(self, *given: object) -> None:
        self.notes.append(" ".join(map(str, (self.name, *given))))

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.note(batch)


BEFORE: Actions[Noting] = {"on_train_batch_begin": lambda ours, batch, _: ours.note("first", batch)}
AFTER: Actions[Noting] = {
    "on_train_batch_begin": lambda ours, batch, _: ours.note("last", batch),
    "on_epoch_end": lambda ours, epoch, logs: ours.note(epoch, logs),
}


@pytest.fixture
def notes() -> list[str]:
    return []


def frame_of(*callbacks: Any) -> FitFrame:
    return FitFrame(SimpleNamespace(callbacks=list(callbacks)), {})


def test_ours_acts_before_and_after_every_other_callback(notes: list[str]) -> None:
    ours = Noting(notes, "ours")
    frame = frame_of(Noting(notes))
    before = frame.callbacks
    surround(frame, ours, before=BEFORE, after=AFTER)
    for callback in frame.callbacks:
        callback.on_train_batch_begin(3, logs={})
        callback.on_epoch_end(1, {"loss": 0.5})
    assert notes == ["ours first 3", "theirs 3", "ours last 3", "ours 1 {'loss': 0.5}"]
    assert len(before) == 1  # Keras iterates over the old list


def test_only_what_was_added_for_ours_is_taken_out(notes: list[str]) -> None:
    one, two = Noting(notes), Noting(notes)
    frame = frame_of(one, two)
    for ours in (one, two):
        surround(frame, ours, before=BEFORE, after=AFTER)
    restore(frame.callback_list, one)
    assert len(frame.callbacks) == 4
    restore(frame.callback_list, two)
    assert frame.callbacks == [one, two]


def test_the_edges_do_not_wait_for_logs_and_keep_no_callback_alive(notes: list[str]) -> None:
    frame = frame_of()
    surround(frame, Noting(notes), before=BEFORE, after=AFTER)
    gc.collect()
    for edge in frame.callbacks:
        assert edge.async_safe
        edge.on_train_batch_begin(0)
    assert notes == []
