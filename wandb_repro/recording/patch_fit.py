"""Gives every ``fit`` of a process a callback of ours, whatever the script gives it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

from wandb_repro.recording.messages import harmless

__all__ = ["callbacks_in", "change_every_fit", "with_callback"]

_CALLBACKS_PLACE = 5
"""Position of ``callbacks`` in ``fit(x, y, batch_size, epochs, verbose, callbacks, ...)``."""


def change_every_fit(keras: ModuleType, change: Callable[[Any], Any]) -> None:
    """Have the callbacks of every ``fit`` go through ``change``.

    NOTE: ``keras.Model`` inherits ``fit`` from its backend's trainer; set on Model, it is found
    first by every model and restored nowhere: the process is ours for this script.

    Args:
        keras: the module.
        change: gets what ``callbacks=`` was, returns what it is to be.
    """
    model: Any = cast("Any", keras).Model
    fit: Callable[..., Any] = model.fit

    @functools.wraps(fit)
    def changed(self: Any, *positional: Any, **options: Any) -> Any:
        given = _Given(list(positional), options, change)
        given.apply()
        return fit(self, *given.positional, **given.options)

    model.fit = changed


class _Given:
    """The arguments of one ``fit``."""

    def __init__(
        self, positional: list[Any], options: dict[str, Any], change: Callable[[Any], Any]
    ) -> None:
        self.positional = positional
        self.options = options
        self._change = change

    @harmless("this fit")
    def apply(self) -> None:
        """Put the changed callbacks in the place of theirs."""
        if len(self.positional) > _CALLBACKS_PLACE:
            self.positional[_CALLBACKS_PLACE] = self._change(self.positional[_CALLBACKS_PLACE])
        else:
            self.options["callbacks"] = self._change(self.options.get("callbacks"))


def callbacks_in(given: Any) -> list[Any]:
    """Return what ``callbacks=`` holds, as Keras takes it: none, one, several, or its own list."""
    several: Any = given.callbacks if _is_keras_own(given) else given
    if several is None:
        return []
    if isinstance(several, (list, tuple)):
        return list(cast("list[Any]", several))
    return [several]


def with_callback(given: Any, ours: Any, *, first: bool = False) -> Any:
    """Return ``callbacks=`` with one more, at the end or before all others."""
    if not _is_keras_own(given):
        theirs = callbacks_in(given)
        return [ours, *theirs] if first else [*theirs, ours]
    given.append(ours)
    if first:
        given.callbacks = [ours, *(one for one in given.callbacks if one is not ours)]
    return given


def _is_keras_own(given: Any) -> bool:
    """Tell Keras' own list of callbacks, which is used as it is."""
    return hasattr(given, "callbacks") and hasattr(given, "append")
