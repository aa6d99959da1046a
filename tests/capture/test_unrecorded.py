from __future__ import annotations

import threading

import pytest

from wandb_repro.capture.unrecorded import (
    is_unrecorded,
    never_record_this_thread,
    unrecorded,
)


def test_only_the_block_is_unrecorded_even_where_it_raises() -> None:
    def fail() -> None:
        assert is_unrecorded()
        raise KeyError

    with pytest.raises(KeyError), unrecorded():
        fail()
    assert not is_unrecorded()


def test_a_block_inside_another_does_not_end_it() -> None:
    with unrecorded():
        with unrecorded():
            pass
        assert is_unrecorded()


def _seen_by(*first: object) -> list[bool]:
    """Return what another thread sees, after it has called these."""
    seen: list[bool] = []

    def look() -> None:
        for each in first:
            assert callable(each)
            each()
        seen.append(is_unrecorded())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return seen


def test_other_threads_are_recorded_meanwhile() -> None:
    with unrecorded():
        assert _seen_by() == [False]


def test_a_worker_of_the_recorder_stays_unrecorded_and_no_other_thread_does() -> None:
    assert _seen_by(never_record_this_thread) == [True]
    assert _seen_by() == [False]
    assert not is_unrecorded()
