from __future__ import annotations

import threading
import time
from typing import NoReturn

import pytest

from wandb_repro.capture.guard import LONGEST_REASON, fact, guarded, guarded_within
from wandb_repro.manifest.base import Unavailable


class _SpeechlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def _raise(error: BaseException) -> NoReturn:
    raise error


def test_what_the_probe_returns_comes_back() -> None:
    assert guarded(lambda: 3, "count") == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("disk gone"), "size: OSError: disk gone"),
        (ValueError(""), "size: ValueError"),
        (GeneratorExit(), "size: GeneratorExit"),
        (MemoryError(), "size: MemoryError"),
        (_SpeechlessError(), "size: _SpeechlessError"),
    ],
)
def test_an_error_becomes_a_reason(error: BaseException, reason: str) -> None:
    assert guarded(lambda: _raise(error), "size") == Unavailable(unavailable=reason)


def test_a_long_error_is_cut_short() -> None:
    told = guarded(lambda: _raise(OSError("x" * 10_000)), "size")
    assert isinstance(told, Unavailable)
    assert len(told.unavailable) == len("size: OSError: ") + LONGEST_REASON


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_the_user_asked_for_passes(error: type[BaseException]) -> None:
    with pytest.raises(error):
        guarded(lambda: _raise(error()), "size")


def test_a_fact_of_another_type_is_a_reason() -> None:
    told = fact(int, lambda: "7", "threads")
    assert told == Unavailable(unavailable="threads: str instead of int")


def test_a_fact_of_its_type_comes_back() -> None:
    assert fact(str, lambda: "float32", "floatx") == "float32"


def test_an_answer_in_time_comes_back() -> None:
    assert guarded_within(5, lambda: "here", "driver") == "here"


def test_an_error_in_time_becomes_a_reason() -> None:
    told = guarded_within(5, lambda: _raise(OSError("no")), "driver")
    assert told == Unavailable(unavailable="driver: OSError: no")


def test_a_probe_that_hangs_is_left_behind() -> None:
    release = threading.Event()
    began = time.monotonic()
    told = guarded_within(0.05, release.wait, "driver")
    assert told == Unavailable(unavailable="driver: no answer within 0.05 s")
    assert time.monotonic() - began < 5
    release.set()
