"""Follows the calls of a library's function, to see the files that it reads in C."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from wandb_repro.capture.unrecorded import is_unrecorded
from wandb_repro.recording.messages import attempt

Note: TypeAlias = Callable[[tuple[Any, ...], Any], None]
"""Gets the arguments and the result of a call."""


def follow(module: object, name: str, note: Note) -> None:
    """Call ``note`` after each call of a module's function that returns, until the process ends.

    The first argument may be given by its name, if the caller gives no other before it.
    """
    real = getattr(module, name, None)
    if real is None or hasattr(real, "followed_by_wandb_repro"):
        return

    @functools.wraps(real, updated=())
    def followed(*arguments: Any, **options: Any) -> Any:
        result = real(*arguments, **options)
        given = arguments or tuple(options.values())
        if given and not is_unrecorded():
            attempt(lambda: note(given, result), "which files a library reads")
        return result

    cast("Any", followed).followed_by_wandb_repro = True
    setattr(module, name, followed)
