"""Acts before or after every other callback, from the two ends of Keras' list of callbacks."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import keras

from wandb_repro.keras.fit_frame import FitFrame

C = TypeVar("C", bound=keras.callbacks.Callback)
Actions: TypeAlias = dict[str, Callable[[C, Any, Any], object]]
"""By event of Keras: called with our callback, the event's first argument and its logs."""


class _Edge(keras.callbacks.Callback):
    """Is at one end of the list while a fit runs, and acts for a callback of ours."""

    async_safe = True

    def __init__(self, ours: C, actions: Actions[C]) -> None:
        super().__init__()
        self._ours: weakref.ref[keras.callbacks.Callback] = weakref.ref(ours)
        for event, act in actions.items():
            setattr(self, event, _acting(weakref.ref(ours), act))

    def __reduce__(self) -> tuple[Callable[[], keras.callbacks.Callback], tuple[()]]:
        # A copy of Keras' list must not act for the callback of a fit that it does not belong to.
        return keras.callbacks.Callback, ()

    def is_of(self, callback: keras.callbacks.Callback) -> bool:
        return self._ours() is callback


def _acting(reference: weakref.ref[C], act: Callable[[C, Any, Any], object]) -> Callable[..., None]:
    def acting(first: Any = None, logs: Any = None) -> None:
        ours = reference()
        if ours is not None:
            act(ours, first, logs)

    return acting


def surround(frame: FitFrame, ours: C, *, before: Actions[C], after: Actions[C]) -> None:
    """Have ``ours`` act before and after all callbacks of a fit whose list was found."""
    # NOTE: Keras is iterating over the old list, which must not change.
    frame.callback_list.callbacks = [_Edge(ours, before), *frame.callbacks, _Edge(ours, after)]


def restore(callback_list: Any, ours: keras.callbacks.Callback) -> None:
    """Remove from Keras' list what ``surround`` added for ``ours``."""
    callback_list.callbacks = [
        callback
        for callback in callback_list.callbacks
        if not (isinstance(callback, _Edge) and callback.is_of(ours))
    ]
