"""Messages while training: one line each, each once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from wandb_repro.capture.guard import guarded, shielded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.message_handler import emit
from wandb_repro.recording.process_state import process

P = ParamSpec("P")
T = TypeVar("T")


def say(message: str, level: int = logging.INFO) -> None:
    """Write one line: to standard error, unless the user routes or silences it."""
    emit(" ".join(message.split()), level)


def warn_once(message: str) -> None:
    """Write a warning, unless this process has already written it."""
    _once(message, logging.WARNING)


def say_once(message: str) -> None:
    """Write one line, unless this process has already written it."""
    _once(message, logging.INFO)


def _once(message: str, level: int) -> None:
    if message not in process.said:
        process.said.add(message)
        say(message, level)


def forget() -> None:
    """Allow every line to be written again, for a new run."""
    process.said.clear()


def harmless(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Keep a function's errors from stopping a training: each becomes a warning, written once.

    Ctrl-C and SystemExit pass through: a rerun ends that way after its first difference, and so
    may a signal handler of the script.

    Args:
        what: what the function records, such as ``the weights``; the warning begins with it.
    """

    def decorated(function: Callable[P, None]) -> Callable[P, None]:
        return shielded(function, what, _warn_of)

    return decorated


def attempt(
    record: Callable[[], T], what: str, *, expects: tuple[type[BaseException], ...] = ()
) -> T | Unavailable:
    """Return what ``record`` returns, or why it failed, after a warning.

    ``expects``: as in ``guarded``.
    """
    done = guarded(record, what, expects=expects)
    if isinstance(done, Unavailable):
        _warn_of(done)
    return done


def _warn_of(reason: Unavailable) -> None:
    warn_once(f"not recorded, training continues: {reason}")
