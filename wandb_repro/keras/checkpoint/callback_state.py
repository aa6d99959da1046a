"""The state of the other callbacks of a fit: named attributes only.

A whole ``__dict__`` would be wrong: ReduceLROnPlateau turns the sign of ``min_delta`` where it
first looks at it, and would turn it again.
Source: keras/src/callbacks/monitor_callback.py, ``_set_monitor_op``, Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import keras

__all__ = ["SAVED", "names_of_state", "put_back_callbacks", "states_of_callbacks"]

_KNOWN: dict[str, tuple[str, ...]] = {
    "EarlyStopping": ("wait", "stopped_epoch", "best", "best_epoch", "best_weights"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "ModelCheckpoint": (
        *("best", "epochs_since_last_save"),
        *("_batches_seen_since_last_saving", "_last_batch_seen", "_current_epoch"),
    ),
    "SwapEMAWeights": ("_ema_weights_in_model",),
    "History": ("epoch", "history"),
}
"""What of Keras' own callbacks changes while they are used, and decides what they do next."""

SAVED = "saved_attributes"
"""A callback of the user's own names its state in an attribute of this name."""


def names_of_state(callback: object) -> tuple[str, ...]:
    """Return the names of the attributes that are a callback's state."""
    found: list[str] = []
    for kind in type(callback).__mro__:
        if kind.__module__.startswith("keras."):
            found += _KNOWN.get(kind.__name__, ())
    found += [str(name) for name in getattr(callback, SAVED, ())]
    return tuple(dict.fromkeys(found))


def states_of_callbacks(callbacks: Iterable[object]) -> list[dict[str, Any]]:
    """Return the state of each callback, in order; empty of one that has none."""
    return [
        {
            "kind": _kind(one),
            "state": {
                name: getattr(one, name) for name in names_of_state(one) if hasattr(one, name)
            },
        }
        for one in callbacks
    ]


def put_back_callbacks(callbacks: Iterable[object], told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Put states back, each kind's in order; return what could not be, in words."""
    waiting = [one for one in told if one["state"]]
    missed: list[str] = []
    for callback in callbacks:
        known = names_of_state(callback)
        mine = next((one for one in waiting if one["kind"] == _kind(callback)), None)
        if mine is None:
            if known and not _is_bookkeeping(callback):
                missed.append(f"the checkpoint holds no state of {_kind(callback)}")
            continue
        waiting.remove(mine)
        for name, value in mine["state"].items():
            if name in known:
                setattr(callback, name, value)
    return missed + [
        f"{one['kind']} is not among the callbacks any more"
        for one in waiting
        if one["kind"] != "keras History"
    ]


def _is_bookkeeping(callback: object) -> bool:
    return isinstance(callback, cast("Any", keras).callbacks.History)


def _kind(callback: object) -> str:
    kind = type(callback)
    top = kind.__module__.split(".")[0]
    return f"{top} {kind.__name__}" if top == "keras" else kind.__qualname__
