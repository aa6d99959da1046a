"""How a run ended: what stopped the script, and at which line of its own code."""

from __future__ import annotations

import functools
import signal
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Literal, NamedTuple

from wandb_repro.capture.process.script_line import (
    CodeLine,
    lines_of_stack,
    lines_of_traceback,
    script_line,
)
from wandb_repro.manifest.manifest import Ending

Status = Literal["finished", "interrupted", "failed"]

_INTERRUPTING = ("KeyboardInterrupt", "RerunStopped")


class Stop(NamedTuple):
    """What stopped a script before its last line. Nothing of the error itself is kept."""

    kind: str
    """Type of the exception."""
    place: str = ""
    """Innermost line of the script's own code, ``train.py:9``; empty if unknown."""
    exit_code: int | None = None
    """Exit code that ``sys.exit`` was given; None for other exceptions."""
    signal: str = ""
    """Signal whose handler raised it, ``SIGTERM``; empty if none did."""


def stop_of(error: BaseException, root: Path | None) -> Stop:
    """Return what stopped a script, from the exception that it raised.

    Args:
        error: as it was caught, with its traceback.
        root: top of the source tree; None if there is none.
    """
    lines = list(lines_of_traceback(error.__traceback__))
    code = exit_code_of(error.code) if isinstance(error, SystemExit) else None
    return Stop(type(error).__name__, script_line(lines, root), code, _signal_of(lines))


def stop_by_exit(status: object, caller: FrameType, root: Path | None) -> Stop:
    """Return what stops a script that calls ``sys.exit(status)``, from the frame that calls it."""
    lines = lines_of_stack(caller)
    code = exit_code_of(status)
    return Stop("SystemExit", script_line(lines, root), code, _signal_of(lines))


def exit_code_of(status: object) -> int:
    """Return the exit code that Python makes of the argument of ``sys.exit``."""
    if status is None:
        return 0
    return status if isinstance(status, int) else 1


def ending_of(stop: Stop | None, *, is_training: bool, stopped_by_us: bool = False) -> Ending:
    """Return how a run ended.

    Args:
        stop: what stopped the script; None if nothing did, or it is not known.
        is_training: whether a ``fit`` was still open.
        stopped_by_us: whether a rerun ended itself because nothing is left to compare.
    """
    status = _status(stop, is_training=is_training, stopped_by_us=stopped_by_us)
    if stop is None or (status == "finished" and not stop.exit_code):
        return Ending(status=status)
    # An empty place is written, too: a record of an older version has none.
    added: dict[str, Any] = {"place": stop.place}
    if stop.exit_code is not None:
        added["exit_code"] = stop.exit_code
    if stop.signal:
        added["signal"] = stop.signal
    return Ending(status=status, detail=stop.kind, **added)


def _status(stop: Stop | None, *, is_training: bool, stopped_by_us: bool) -> Status:
    if stopped_by_us or (stop and (stop.kind in _INTERRUPTING or stop.signal)):
        return "interrupted"
    if stop and (stop.kind != "SystemExit" or stop.exit_code):
        return "failed"
    return "interrupted" if is_training else "finished"


def _signal_of(lines: Iterable[CodeLine]) -> str:
    """Return the signal whose handler is among these lines; empty if none is."""
    handlers: dict[object, int] = {
        code: number
        for number in signal.valid_signals()
        if (code := _code_of(signal.getsignal(number))) is not None
    }
    return next(
        (signal.Signals(handlers[each.code]).name for each in lines if each.code in handlers), ""
    )


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return code if isinstance(code, CodeType) else None
