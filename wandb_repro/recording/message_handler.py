"""Where this package's lines go: to the logger ``wandb_repro``, and from there to standard error.

Whoever gives that logger handlers of their own gets the lines instead. On standard error W&B's
``silent`` and ``quiet`` hold for them too, set as a variable or in a run's settings.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import NamedTuple

from wandb_repro.manifest.request import REQUEST_VARIABLE
from wandb_repro.recording.process_state import process

NAME = "wandb_repro"
SILENT_VARIABLE = "WANDB_REPRO_SILENT"
"""Environment variable: ``true`` or ``false`` for our lines, whatever W&B's own says."""


def emit(message: str, level: int) -> None:
    """Log one line; nothing that fails in doing so stops a training."""
    logger = logging.getLogger(NAME)
    if not logger.handlers:
        # The root logger's handlers would print the line a second time.
        logger.propagate = False
        logger.addHandler(_StandardError())
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    with contextlib.suppress(Exception):  # a handler is the user's code
        logger.log(level, "%s", message)


class _StandardError(logging.Handler):
    """Writes each line to what is standard error at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, unless it is unwanted."""
        if not is_shown(record.levelno):
            return
        warns = "warning: " if record.levelno == logging.WARNING else ""
        # A closed terminal (ValueError, OSError) or a missing one (AttributeError: stderr is None
        # under pythonw) must not stop a training.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            sys.stderr.write(f"{NAME}: {warns}{record.getMessage()}\n")
            sys.stderr.flush()


def is_shown(level: int) -> bool:
    """Tell whether a line is wanted on standard error.

    Why a process ends is always shown, and so is all that a rerun says: a person watches it.
    """
    own = _switch(os.environ.get(SILENT_VARIABLE))
    if level >= logging.ERROR or own is False:
        return True
    if own is True:
        return False
    if os.environ.get(REQUEST_VARIABLE):
        return True
    wishes = _wishes()
    return not wishes.silent and (level >= logging.WARNING or not wishes.quiet)


class Wishes(NamedTuple):
    """What a user wants W&B to print."""

    silent: bool
    """Nothing."""
    quiet: bool
    """Warnings only."""


def _wishes() -> Wishes:
    """Return the wishes of the current run, else of the last one, else of the environment."""
    settings = getattr(getattr(sys.modules.get("wandb"), "run", None), "settings", None)
    if settings is not None:
        found = (getattr(settings, name, None) is True for name in ("silent", "quiet"))
        process.wishes = Wishes(*found)
    if process.wishes is not None:
        return process.wishes
    return Wishes(
        _switch(os.environ.get("WANDB_SILENT")) is True,
        _switch(os.environ.get("WANDB_QUIET")) is True,
    )


def _switch(text: str | None) -> bool | None:
    """Return what a variable says, in the words that W&B takes; None for anything else."""
    word = (text or "").strip().lower()
    if word in ("1", "true", "t", "yes", "y", "on"):
        return True
    return False if word in ("0", "false", "f", "no", "n", "off") else None
