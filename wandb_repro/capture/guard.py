"""Where a probe's failure becomes a reason. The one place with broad excepts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from wandb_repro.manifest.base import Unavailable

__all__ = ["fact", "guarded", "guarded_within"]

T = TypeVar("T")

LONGEST_REASON = 300
"""Characters of an error's text that are kept: some libraries put a whole log in it."""


def guarded(probe: Callable[[], T], what: str) -> T | Unavailable:
    """Return what the probe returns, or why it failed.

    Only KeyboardInterrupt and SystemExit pass: those are the user's, not the probe's.

    Args:
        probe: reads one fact.
        what: the fact's name, which the reason begins with.
    """
    try:
        return probe()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a training never fails because of a probe
        return Unavailable(unavailable=f"{what}: {_told(error)}")


def fact(kind: type[T], probe: Callable[[], object], what: str) -> T | Unavailable:
    """Return what the probe returns if it is of this type, or why there is no such thing.

    For what comes out of libraries without types, where anything may come back.
    """
    value = guarded(probe, what)
    if isinstance(value, (kind, Unavailable)):
        return value
    return Unavailable(unavailable=f"{what}: {type(value).__name__} instead of {kind.__name__}")


def guarded_within(seconds: float, probe: Callable[[], T], what: str) -> T | Unavailable:
    """Return what the probe returns, or why it failed or did not end in time.

    The probe runs in a daemon thread. One that hangs is left behind and does not hold up the
    end of the process.
    """
    answers: list[T | Unavailable] = []
    thread = threading.Thread(
        target=lambda: answers.append(guarded(probe, what)),
        name=f"wandb_repro {what}",
        daemon=True,
    )
    thread.start()
    thread.join(seconds)
    if answers:
        return answers[0]
    return Unavailable(unavailable=f"{what}: no answer within {seconds:g} s")


def _told(error: BaseException) -> str:
    try:
        text = str(error).strip()
    except Exception:  # noqa: BLE001 - an error whose own text cannot be had
        text = ""
    name = type(error).__name__
    return f"{name}: {text[:LONGEST_REASON]}" if text else name
