"""Adds our callback to every ``fit`` of a process, in any form of ``callbacks=``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

from wandb_repro.recording.messages import harmless

_CALLBACKS_POSITION = 5
"""Position of ``callbacks`` in ``fit(x, y, batch_size, epochs, verbose, callbacks, ...)``."""


def change_every_fit(keras: ModuleType, change: Callable[[Any], Any]) -> None:
    """Pass the ``callbacks=`` of every ``fit`` through ``change``, until the process ends."""
    # keras.Model inherits fit from its backend's trainer, so a fit set on Model is found first.
    model: Any = cast("Any", keras).Model
    fit: Callable[..., Any] = model.fit

    @functools.wraps(fit)
    def changed(self: Any, *positional: Any, **options: Any) -> Any:
        arguments = list(positional)
        replace_callbacks(arguments, options)
        return fit(self, *arguments, **options)

    @harmless("this fit")
    def replace_callbacks(positional: list[Any], options: dict[str, Any]) -> None:
        if len(positional) > _CALLBACKS_POSITION:
            positional[_CALLBACKS_POSITION] = change(positional[_CALLBACKS_POSITION])
        else:
            options["callbacks"] = change(options.get("callbacks"))

    model.fit = changed


def callbacks_in(given: Any) -> list[Any]:
    """Return the callbacks in ``callbacks=``: None, a callback, a sequence or a CallbackList."""
    callbacks: Any = given.callbacks if _is_keras_own(given) else given
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return list(cast("list[Any]", callbacks))
    return [callbacks]


def with_callback(given: Any, ours: Any, *, first: bool = False) -> Any:
    """Return ``callbacks=`` with our callback added, at the end or before all others."""
    if not _is_keras_own(given):
        theirs = callbacks_in(given)
        return [ours, *theirs] if first else [*theirs, ours]
    given.append(ours)
    if first:
        given.callbacks = [ours, *(each for each in given.callbacks if each is not ours)]
    return given


def _is_keras_own(given: Any) -> bool:
    """Tell whether this is Keras' ``CallbackList``, which ``fit`` uses without copying it."""
    return hasattr(given, "callbacks") and hasattr(given, "append")
