"""What a person is told while training: one line each, once, on standard error."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable

__all__ = ["forget", "harmless", "say", "warn_once"]

P = ParamSpec("P")

_said: set[str] = set()


def say(message: str) -> None:
    """Write one line for the person who trains. A closed terminal is no reason to stop."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"wandb_repro: {' '.join(message.split())}\n")
        sys.stderr.flush()


def warn_once(message: str) -> None:
    """Write a warning, unless it was written before in this process."""
    if message not in _said:
        _said.add(message)
        say(f"warning: {message}")


def forget() -> None:
    """Let every warning be said again: a new run begins."""
    _said.clear()


def harmless(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function unable to stop a training: what goes wrong is said once, and lost.

    A Ctrl-C and an exit pass: the one of a rerun that has seen enough, and one that a signal
    handler of the script raises while we are at work.

    Args:
        what: the function records, as a reason begins: ``the weights``.
    """

    def decorated(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def wrapped(*arguments: P.args, **options: P.kwargs) -> None:
            done = guarded(lambda: function(*arguments, **options), what)
            if isinstance(done, Unavailable):
                warn_once(f"not recorded, training goes on: {done}")

        return wrapped

    return decorated
