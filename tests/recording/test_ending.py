"""How a run ended, from what stopped its script."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from wandb_repro.manifest.manifest import Ending
from wandb_repro.recording.ending import Stop, ending_of, exit_code_of, stop_by_exit, stop_of

TESTS = Path(__file__).parents[2]
HERE = Path(__file__).relative_to(TESTS).as_posix()


def caught(raises: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as found:  # noqa: PT011 - of any kind
        raises()
    return found.value


def line_of(function: Callable[..., object]) -> int:
    return function.__code__.co_firstlineno + 1


def fails() -> None:
    raise TypeError("the password is hunter2")


def exits() -> None:
    sys.exit("no data")


def test_an_error_is_kept_as_its_type_and_line_without_its_message() -> None:
    stop = stop_of(caught(fails), TESTS)
    assert stop == Stop("TypeError", f"{HERE}:{line_of(fails)}")


def test_an_exit_has_its_code_whether_it_was_called_or_caught() -> None:
    at = f"{HERE}:{line_of(exits)}"
    assert stop_of(caught(exits), TESTS) == Stop("SystemExit", at, 1)

    frame = sys._getframe()  # pyright: ignore[reportPrivateUsage]
    stop = stop_by_exit(3, frame, TESTS)
    assert (stop.kind, stop.exit_code) == ("SystemExit", 3)
    assert stop.place.startswith(f"{HERE}:")


@pytest.mark.parametrize(
    ("status", "code"), [(None, 0), (0, 0), (3, 3), ("words", 1), (True, 1), ([], 1)]
)
def test_exit_codes_are_those_of_python(status: object, code: int) -> None:
    assert exit_code_of(status) == code


def on_signal(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


class Handler:
    def on_signal(self, number: int, frame: FrameType | None) -> None:
        on_signal(number, frame)


@pytest.mark.parametrize("handler", [on_signal, Handler().on_signal, functools.partial(on_signal)])
def test_an_exit_out_of_a_signal_handler_names_the_signal(handler: object) -> None:
    before = signal.signal(signal.SIGUSR1, handler)  # type: ignore[arg-type]
    try:
        stop = stop_of(caught(lambda: signal.raise_signal(signal.SIGUSR1)), TESTS)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (stop.signal, stop.exit_code) == ("SIGUSR1", 128 + signal.SIGUSR1)
    assert ending_of(stop, is_training=True).status == "interrupted"


AT = "train.py:9"


@pytest.mark.parametrize(
    ("stop", "is_training", "ending"),
    [
        (None, False, Ending(status="finished")),
        (None, True, Ending(status="interrupted")),
        (
            Stop("TypeError", AT),
            True,
            Ending(status="failed", detail="TypeError", place=AT),
        ),
        (Stop("SystemExit", AT, 0), False, Ending(status="finished")),
        (
            Stop("SystemExit", AT, 0),
            True,
            Ending(status="interrupted", detail="SystemExit", place=AT, exit_code=0),
        ),
        (
            Stop("SystemExit", AT, 2),
            True,
            Ending(status="failed", detail="SystemExit", place=AT, exit_code=2),
        ),
        (
            Stop("KeyboardInterrupt"),
            False,
            Ending(status="interrupted", detail="KeyboardInterrupt"),
        ),
        (
            Stop("SystemExit", AT, 143, "SIGTERM"),
            False,
            Ending(
                status="interrupted",
                detail="SystemExit",
                place=AT,
                exit_code=143,
                signal="SIGTERM",
            ),
        ),
    ],
)
def test_what_stopped_the_script_decides_how_the_run_ended(
    stop: Stop | None, *, is_training: bool, ending: Ending
) -> None:
    assert ending_of(stop, is_training=is_training) == ending


def test_a_rerun_that_stopped_itself_was_interrupted_whatever_follows() -> None:
    for stop in (None, Stop("TypeError", AT), Stop("RerunStopped", "", 0)):
        ending = ending_of(stop, is_training=False, stopped_by_us=True)
        assert ending.status == "interrupted"


def test_a_finished_run_is_written_as_before() -> None:
    assert ending_of(None, is_training=False).model_dump() == {"status": "finished", "detail": ""}
