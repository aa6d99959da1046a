"""Removes our frames from the traceback of a script's error, so that it shows the script alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.errors import ReproError

_PACKAGE = f"{Path(__file__).parents[1]}/"
_RUNPY = ("<frozen runpy>", "runpy.py")
"""Ends of the file of the module that runs a module: frozen since Python 3.11."""


def users_traceback(error: BaseException, given: TracebackType | None) -> TracebackType | None:
    """Return the traceback that an exception hook was given, without our frames.

    The error, its causes and the errors of a group lose them, too.
    """
    if error.__traceback__ is None:
        return given
    guarded(lambda: remove_our_frames(error), "the traceback")
    return error.__traceback__


def remove_our_frames(error: BaseException) -> None:
    """Remove our frames from an error, its causes and the errors of a group.

    An error that was raised in our code for another reason than a wrong call keeps them, except
    those that started the script.
    """
    for each in _all_of(error):
        entries = _below_launcher(list(_entries(each.__traceback__)))
        is_fault = bool(entries) and _is_ours(entries[-1]) and not isinstance(each, ReproError)
        kept = [entry for entry in entries if is_fault or not _is_ours(entry)]
        if kept or isinstance(each, SyntaxError):
            each.__traceback__ = _joined(kept)


def _all_of(error: BaseException) -> Iterator[BaseException]:
    seen = set[int]()
    pending: list[Any] = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            pending += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def _entries(entry: TracebackType | None) -> Iterator[TracebackType]:
    while entry is not None:
        yield entry
        entry = entry.tb_next


def _below_launcher(entries: list[TracebackType]) -> list[TracebackType]:
    """Return the entries without the first ones, if these are ours and Python's that start us."""
    for at, entry in enumerate(entries):
        if not (_is_ours(entry) or _file(entry).endswith(_RUNPY)):
            started_by_us = any(map(_is_ours, entries[:at]))
            return entries[at:] if started_by_us else entries
    return [] if any(map(_is_ours, entries)) else entries


def _is_ours(entry: TracebackType) -> bool:
    return _file(entry).startswith(_PACKAGE)


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename


def _joined(entries: list[TracebackType]) -> TracebackType | None:
    joined: TracebackType | None = None
    for entry in reversed(entries):
        joined = TracebackType(joined, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return joined
