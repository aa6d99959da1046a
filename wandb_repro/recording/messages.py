"""What a person reads while training: one line each, once, on standard error."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.process_state import process

P = ParamSpec("P")
T = TypeVar("T")


def say(message: str) -> None:
    """Write one line for the person who trains."""
    # A closed terminal (ValueError, OSError) or none at all (AttributeError: stderr is None under
    # pythonw) is no reason to stop a training.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"wandb_repro: {' '.join(message.split())}\n")
        sys.stderr.flush()


def warn_once(message: str) -> None:
    """Write a warning, unless it was written before in this process."""
    say_once(f"warning: {message}")


def say_once(message: str) -> None:
    """Write one line, unless it was written before in this process."""
    if message not in process.said:
        process.said.add(message)
        say(message)


def forget() -> None:
    """Let every line be written again: a new run begins."""
    process.said.clear()


def harmless(what: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a function unable to stop a training: its error becomes a warning, written once.

    A Ctrl-C and an exit pass: a rerun ends that way after its first difference, and so may a
    signal handler of the script.

    Args:
        what: what the function records, as a reason begins: ``the weights``.
    """

    def decorated(function: Callable[P, None]) -> Callable[P, None]:
        @functools.wraps(function)
        def wrapped(*arguments: P.args, **options: P.kwargs) -> None:
            done = guarded(lambda: function(*arguments, **options), what)
            if isinstance(done, Unavailable):
                warn_once(f"not recorded, training goes on: {done}")

        return wrapped

    return decorated


def attempt(record: Callable[[], T], what: str) -> T | Unavailable:
    """Return what ``record`` returns, or why it failed, after a warning."""
    done = guarded(record, what)
    if isinstance(done, Unavailable):
        warn_once(f"not recorded, training goes on: {done}")
    return done
