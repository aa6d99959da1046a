"""Adds our callback to every ``fit`` of a process: to Keras' list of callbacks, when it begins."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeAlias, cast

from wandb_repro.recording.messages import harmless

Change: TypeAlias = Callable[[Any, Any], object]
"""Gets the ``CallbackList`` of a ``fit`` before its callbacks know that training begins, and the
model."""


def change_every_fit(keras: ModuleType, change: Change) -> None:
    """Call ``change`` with the list of callbacks of every ``fit``, until the process ends.

    A ``fit`` that a subclass overrides counts if it calls Keras' ``fit``, or makes Keras' list of
    callbacks itself. A second call with the same ``change`` does nothing.
    """
    module = cast("Any", keras)
    kind: type[Any] = module.callbacks.CallbackList
    found: Any = vars(kind)["on_train_begin"]
    known = found if isinstance(found, _Beginning) else _Beginning(found, (), module.Model)
    if change not in known.changes:
        changes = (*known.changes, change)
        kind.on_train_begin = _Beginning(known.begin, changes, module.Model)


class _Beginning:
    """Is ``CallbackList.on_train_begin``, and acts when ``fit`` looks it up in order to call it.

    No frame of ours is then between the user's code and Keras, in a traceback or anywhere else. A
    ``fit`` that the script took from the class before this patch is changed, too.
    """

    def __init__(self, begin: Any, changes: tuple[Change, ...], model: type) -> None:
        self.begin = begin
        self.changes = changes
        self._model = model

    def __get__(self, callbacks: object, owner: type | None = None) -> Any:
        caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        # A loop of the user's own may use a list, too, and need not say when it ends.
        if callbacks is not None and caller.f_code.co_name == "fit":
            self._change(callbacks, caller.f_locals.get("self"))
        return self.begin.__get__(callbacks, owner)

    @harmless("this fit")
    def _change(self, callbacks: object, model: object) -> None:
        if isinstance(model, self._model):
            for change in self.changes:
                change(callbacks, model)


def add_callback(callbacks: Any, model: object, ours: Any, *, first: bool = False) -> None:
    """Add our callback to Keras' list in a model's ``fit``, at the end or before all others."""
    ours.set_params(callbacks.params)
    ours.set_model(model)
    theirs = callbacks.callbacks
    callbacks.callbacks = [ours, *theirs] if first else [*theirs, ours]
