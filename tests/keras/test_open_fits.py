from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wandb_repro.keras.open_fits import note_begin, note_end
from wandb_repro.recording.trail_recorder import TrailRecorder


class Recorder(TrailRecorder):
    """Says which fits were ended."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.were_ended: list[int] = []

    def end_fit(self, fit: int) -> None:
        self.were_ended.append(fit)
        super().end_fit(fit)


@pytest.fixture
def sink(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "trail.jsonl")


def fit(sink: Recorder, inside: Callable[[], Any] = int, *, known: bool = True) -> None:
    """Begin and end a fit, as a callback does."""
    number = sink.begin_fit()
    frame_id = id(sys._getframe()) if known else 0  # pyright: ignore[reportPrivateUsage] - its id
    note_begin(sink, number, frame_id)
    inside()
    note_end(sink, number)
    sink.end_fit(number)


def fails() -> None:
    raise MemoryError("no room for this batch size")


def test_a_fit_that_an_exception_ended_is_ended_when_the_next_begins(sink: Recorder) -> None:
    with pytest.raises(MemoryError):
        fit(sink, fails)
    assert sink.were_ended == []
    fit(sink, lambda: sink.were_ended.append(0))
    assert sink.were_ended == [1, 0, 2]


def test_an_inner_fit_leaves_the_outer_one_open(sink: Recorder) -> None:
    fit(sink, lambda: fit(sink))
    assert sink.were_ended == [2, 1]


def test_an_inner_fit_that_failed_is_ended_and_the_outer_one_stays(sink: Recorder) -> None:
    def search() -> None:
        with pytest.raises(MemoryError):
            fit(sink, fails)
        fit(sink)

    fit(sink, search)
    assert sink.were_ended == [2, 3, 1]


def test_a_fit_whose_frame_is_not_known_ends_nothing(sink: Recorder) -> None:
    with pytest.raises(MemoryError):
        fit(sink, fails)
    fit(sink, known=False)
    assert sink.were_ended == [2]


def test_fits_of_one_sink_do_not_end_those_of_another(sink: Recorder, tmp_path: Path) -> None:
    other = Recorder(tmp_path / "other.jsonl")
    with pytest.raises(MemoryError):
        fit(sink, fails)
    fit(other)
    assert sink.were_ended == []


def test_a_sink_with_an_open_fit_can_be_freed(tmp_path: Path) -> None:
    sink = Recorder(tmp_path / "trail.jsonl")
    with pytest.raises(MemoryError):
        fit(sink, fails)
    freed = weakref.ref(sink)
    del sink
    gc.collect()
    assert freed() is None
