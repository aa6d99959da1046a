"""The audit hook of this process. Python cannot remove one, so there is one for all listeners."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TypeAlias

Notice: TypeAlias = Callable[[str, tuple[object, ...]], None]
"""Called with an event's name and arguments. An error makes the user's call fail."""

_LISTENERS: dict[str, Notice] = {}


def listen(events: Iterable[str], notice: Notice) -> None:
    """Call ``notice`` with each of these audit events from now on, until the process ends.

    Args:
        events: names from Python's "Audit events table"; each has one listener, the last one.
        notice: gets the events of all threads.
    """
    if not _LISTENERS:
        sys.addaudithook(_hook())
    _LISTENERS.update(dict.fromkeys(events, notice))


def _hook() -> Notice:
    """Return the hook, which Python calls on every audit event, even for ``id()``."""
    listener = _LISTENERS.get

    # NOTE: a function, since a bound method costs four times as much: Python looks for
    # "__cantrace__" on it each time (measured with 3.11).
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        notice = listener(event)
        if notice is not None:
            notice(event, arguments)

    return hook
