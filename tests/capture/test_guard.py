from __future__ import annotations

import subprocess
import threading
import time
from typing import NoReturn

import pytest

from wandb_repro.capture.guard import (
    EXPECTED,
    LONGEST_REASON,
    STRICT_VARIABLE,
    fact,
    guarded,
    guarded_within,
    shielded,
)
from wandb_repro.errors import CodeError
from wandb_repro.manifest.base import Unavailable


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STRICT_VARIABLE, "1")


class _SpeechlessError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def _raise(error: BaseException) -> NoReturn:
    raise error


OURS = [AttributeError("wieghts"), KeyError("step"), TypeError("two arguments"), GeneratorExit()]

OF_THE_MACHINE = [
    OSError("disk gone"),
    MemoryError(),
    subprocess.TimeoutExpired("git", 5),
    CodeError("no commit"),
]


def test_what_the_probe_returns_comes_back() -> None:
    assert guarded(lambda: 3, "count") == 3


@pytest.mark.usefixtures("lenient")
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


@pytest.mark.parametrize("error", OURS, ids=repr)
def test_a_fault_of_ours_is_raised_in_the_tests(error: BaseException) -> None:
    with pytest.raises(type(error)):
        guarded(lambda: _raise(error), "size")


@pytest.mark.parametrize("error", OF_THE_MACHINE, ids=repr)
def test_an_error_of_the_machine_is_a_reason_in_the_tests_too(error: BaseException) -> None:
    assert isinstance(guarded(lambda: _raise(error), "size"), Unavailable)
    assert isinstance(error, EXPECTED)


def test_a_declared_error_is_a_reason_in_the_tests_too() -> None:
    found = guarded(lambda: _raise(KeyError("x")), "size", expects=(LookupError,))
    assert found == Unavailable(unavailable="size: KeyError: 'x'")


def test_only_1_turns_the_switch_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STRICT_VARIABLE, "0")
    assert isinstance(guarded(lambda: _raise(KeyError("x")), "size"), Unavailable)


def test_a_long_error_is_cut_short() -> None:
    found = guarded(lambda: _raise(OSError("x" * 10_000)), "size")
    assert isinstance(found, Unavailable)
    assert len(found.unavailable) == len("size: OSError: ") + LONGEST_REASON


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_the_user_asked_for_passes(error: type[BaseException]) -> None:
    with pytest.raises(error):
        guarded(lambda: _raise(error()), "size")


def test_a_fact_of_another_type_is_a_reason() -> None:
    found = fact(int, lambda: "7", "threads")
    assert found == Unavailable(unavailable="threads: str instead of int")


def test_a_fact_of_its_type_comes_back() -> None:
    assert fact(str, lambda: "float32", "floatx") == "float32"


def test_a_fact_that_a_library_does_not_have_is_a_reason() -> None:
    found = fact(str, lambda: _raise(AttributeError("floatx")), "floatx", expects=(AttributeError,))
    assert found == Unavailable(unavailable="floatx: AttributeError: floatx")


@pytest.mark.parametrize(
    "error", [AttributeError("wieghts"), KeyError("step"), NotImplementedError()], ids=repr
)
def test_a_fact_that_is_misspelled_by_us_is_raised_in_the_tests(error: Exception) -> None:
    with pytest.raises(type(error)):
        fact(str, lambda: _raise(error), "floatx")


def test_an_answer_in_time_comes_back() -> None:
    assert guarded_within(5, lambda: "here", "driver") == "here"


def test_an_error_in_time_becomes_a_reason() -> None:
    found = guarded_within(5, lambda: _raise(OSError("no")), "driver")
    assert found == Unavailable(unavailable="driver: OSError: no")


def test_a_fault_in_the_thread_is_raised_where_the_answer_is_awaited() -> None:
    with pytest.raises(AttributeError):
        guarded_within(5, lambda: _raise(AttributeError("wieghts")), "driver")


def test_a_probe_that_hangs_is_left_behind() -> None:
    release = threading.Event()
    began = time.monotonic()
    found = guarded_within(0.05, release.wait, "driver")
    assert found == Unavailable(unavailable="driver: no answer within 0.05 s")
    assert time.monotonic() - began < 5
    release.set()


def test_a_shielded_function_reports_an_error_of_the_machine() -> None:
    reported: list[Unavailable] = []

    def write(name: str, *, times: int) -> None:
        _raise(OSError(f"{name}: disk gone {times} times"))

    shielded(write, "the trail", reported.append)("a", times=2)
    assert [reason.unavailable for reason in reported] == [
        "the trail: OSError: a: disk gone 2 times"
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), AttributeError("wieghts")])
def test_a_shielded_function_raises_what_guarded_raises(error: BaseException) -> None:
    reported: list[Unavailable] = []
    with pytest.raises(type(error)):
        shielded(lambda: _raise(error), "the trail", reported.append)()
    assert not reported
