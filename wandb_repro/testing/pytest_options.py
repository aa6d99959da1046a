"""Options of the running pytest, for functions that do not use pytest."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class _Session:
    update: bool = False
    written: list[str] = field(default_factory=list[str])


_sessions = [_Session()]
"""The innermost last: a test of a plugin starts a pytest inside pytest."""


def begin(*, update: bool) -> None:
    """Note that a pytest begins, and whether it updates golden files."""
    _sessions.append(_Session(update))


def end() -> None:
    """Note that the innermost pytest has ended."""
    if len(_sessions) > 1:
        _sessions.pop()


def update() -> bool:
    """Tell whether to write golden files."""
    return _sessions[-1].update


def wrote(file: str) -> None:
    """Note a golden file that was written."""
    _sessions[-1].written.append(file)


def written() -> tuple[str, ...]:
    """Return the golden files that this pytest wrote, in order."""
    return tuple(_sessions[-1].written)
