"""Turns a probe's failure into a reason. The only module with broad excepts."""

from __future__ import annotations

import functools
import os
import subprocess
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from wandb_repro.errors import ReproError
from wandb_repro.manifest.base import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

STRICT_VARIABLE = "WANDB_REPRO_STRICT_FAULTS"
"""Environment variable: set to 1, every error outside `EXPECTED` is raised, not recorded.

The test suite sets it: a misspelled attribute of ours must fail a test, not be recorded as
"unavailable".
"""

EXPECTED: tuple[type[BaseException], ...] = (
    OSError,
    MemoryError,
    subprocess.SubprocessError,
    ReproError,
)
"""Errors of the machine, and errors that we raise ourselves: never a fault in our code."""

LONGEST_REASON = 300
"""Characters of an error's text that are kept: some libraries put a log in it."""


def guarded(
    probe: Callable[[], T], what: str, *, expects: tuple[type[BaseException], ...] = ()
) -> T | Unavailable:
    """Return what the probe returns, or why it failed.

    Args:
        probe: reads one fact.
        what: the fact's name, which the reason begins with.
        expects: errors of a foreign library that the probe calls, on top of `EXPECTED`.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C; SystemExit also passes.
        BaseException: under `STRICT_VARIABLE`, every error that is not expected.

    Example:
        >>> guarded(lambda: open("/missing"), "notes")
        Unavailable(unavailable="notes: FileNotFoundError: ... '/missing'")
    """
    try:
        return probe()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a fault of ours must not stop a training
        return _reason(error, what, expects)


def shielded(
    function: Callable[P, None], what: str, report: Callable[[Unavailable], None]
) -> Callable[P, None]:
    """Return the function with its errors passed to `report`; they are raised as in `guarded`.

    It adds one call to each call, where `guarded` and a lambda add three: a step of a training
    passes through it several times, and in a cold cache a call costs microseconds.

    Args:
        function: records something.
        what: the name of that, which the reason begins with.
        report: gets the reason.
    """

    @functools.wraps(function)
    def called(*arguments: P.args, **options: P.kwargs) -> None:
        try:
            function(*arguments, **options)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - as above
            report(_reason(error, what))

    return called


def _reason(
    error: BaseException, what: str, expects: tuple[type[BaseException], ...] = ()
) -> Unavailable:
    if is_strict() and not isinstance(error, EXPECTED + expects):
        raise error
    return Unavailable(unavailable=f"{what}: {_text(error)}")


def is_strict() -> bool:
    """Return whether our own faults are raised; read on each call, so that a test can change it."""
    return os.environ.get(STRICT_VARIABLE) == "1"


def fact(
    kind: type[T],
    probe: Callable[[], object],
    what: str,
    *,
    expects: tuple[type[BaseException], ...] = (),
) -> T | Unavailable:
    """Return what the probe returns if it has this type, or why not.

    For libraries without types, which may return anything.

    Args:
        kind: the type that the record needs.
        probe: reads one fact.
        what: the fact's name.
        expects: as in `guarded`: what the library raises if this version or build of it lacks the
            fact.
    """
    value = guarded(probe, what, expects=expects)
    if isinstance(value, (kind, Unavailable)):
        return value
    return Unavailable(unavailable=f"{what}: {type(value).__name__} instead of {kind.__name__}")


def guarded_within(
    seconds: float,
    probe: Callable[[], T],
    what: str,
    *,
    expects: tuple[type[BaseException], ...] = (),
) -> T | Unavailable:
    """Return what the probe returns, or why it failed or did not end in time.

    Args:
        seconds: how long to wait.
        probe: reads one fact, in a daemon thread: a probe that hangs is left behind and does not
            delay the end of the process.
        what: the fact's name.
        expects: as in `guarded`.

    Raises:
        BaseException: as `guarded`, here and not in the thread.
    """
    answers: list[T | Unavailable] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(guarded(probe, what, expects=expects))
        except BaseException as fault:  # noqa: BLE001 - raised again by the thread that waits
            faults.append(fault)

    thread = threading.Thread(target=run, name=f"wandb_repro {what}", daemon=True)
    thread.start()
    thread.join(seconds)
    if faults:
        raise faults[0]
    if answers:
        return answers[0]
    return Unavailable(unavailable=f"{what}: no answer within {seconds:g} s")


def _text(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # noqa: BLE001 - a foreign error's __str__ may itself fail
        text = ""
    name = type(error).__name__
    return f"{name}: {text[:LONGEST_REASON]}" if text else name
