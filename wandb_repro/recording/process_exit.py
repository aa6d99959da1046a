"""Notices when a run ends and how its process ends; Python announces neither."""

from __future__ import annotations

import atexit
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn, cast

from wandb_repro.capture.process.notebook import shell_of
from wandb_repro.recording.children.own_record import finish_at_end_of_worker
from wandb_repro.recording.messages import say
from wandb_repro.recording.process_state import process
from wandb_repro.recording.session import Session
from wandb_repro.recording.user_traceback import users_traceback


def end_with(run: object, session: Session) -> None:
    """Close the record before W&B closes the run, even if the script never calls ``finish``."""
    # NOTE: W&B has no public hook for this. Its teardown hooks are private; if they are not as
    # expected, the instance's ``finish`` is wrapped. The process's exit is watched in any case.
    try:
        from wandb.sdk.wandb_run import TeardownHook, TeardownStage

        hook = TeardownHook(session.finish, TeardownStage.EARLY)
        cast("Any", run)._teardown_hooks.append(hook)
    except (ImportError, AttributeError, TypeError):
        _wrap_finish(run, session)
    _watch_process()
    process.watched[:] = [watched for watched in process.watched if not watched.ended]
    process.watched.append(session)


def _wrap_finish(run: Any, session: Session) -> None:
    finish = run.finish

    def finish_both(*arguments: Any, **options: Any) -> object:
        session.finish()
        return finish(*arguments, **options)

    run.finish = finish_both


def _watch_process() -> None:
    """Watch for this process's end, once; other exception hooks still run."""
    if any(not session.ended for session in process.watched):
        return
    # Registered again for each first session, so that it runs before a hook of W&B's that was
    # registered in between: functions registered last run first.
    atexit.unregister(finish_all)
    atexit.register(finish_all)
    finish_at_end_of_worker(finish_all)
    if getattr(sys.excepthook, "__name__", "") != _NAME:
        _see_failures()
    if getattr(sys.exit, "__name__", "") != _NAME:
        _see_exits()


def finish_all() -> None:
    """Close every record that is still open, because the process ends."""
    for session in tuple(process.watched):
        session.finish(at_exit=True)


def note_stop(error: BaseException) -> None:
    """Note the exception that is about to end the process, with the line that raised it."""
    for session in tuple(process.watched):
        session.stopped_by(error)


def note_return() -> None:
    """Note that the script reached its last line, so that it caught what it raised before."""
    for session in tuple(process.watched):
        session.goes_on()


_NAME = "wandb_repro_noted"


def _see_failures() -> None:
    before = sys.excepthook

    def noted(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        note_stop(error)
        before(kind, error, users_traceback(error, traceback))
        if advice := cure(error):
            say(advice)

    noted.__name__ = _NAME
    sys.excepthook = noted


def _see_exits() -> None:
    """Note calls of ``sys.exit``, as W&B does: Python tells no hook that SystemExit ends it."""
    before = sys.exit

    def noted(status: object = None, /) -> NoReturn:
        # In another thread it ends only that thread; in a notebook only the cell.
        if threading.current_thread() is threading.main_thread():
            _note_exit(status, sys._getframe(1))  # pyright: ignore[reportPrivateUsage]
        before(cast("Any", status))

    noted.__name__ = _NAME
    sys.exit = noted


def _note_exit(status: object, caller: FrameType) -> None:
    if shell_of(process.host.modules) is None:
        for session in tuple(process.watched):
            session.exits(status, caller)


def cure(error: BaseException) -> str:
    """Return advice for an error caused by op determinism; empty for other errors."""
    # Source: measured, TensorFlow 2.21: each of these errors contains ``determinism is enabled``
    # or ``deterministic`` and an op's name, but not what enabled it.
    text = str(error).lower()
    if "determinis" not in text:
        return ""
    if "seed" in text:
        return (
            "deterministic=True makes TensorFlow refuse random operations without a seed; "
            "give init(seed=...), or seed the operation itself"
        )
    return (
        "deterministic=True makes TensorFlow refuse operations that have no deterministic form; "
        "replace the operation that the error names, or train without deterministic=True"
    )
