"""The state of the other callbacks of a fit: named attributes only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import keras

# NOTE: saving ``__dict__`` would be wrong: ReduceLROnPlateau flips the sign of ``min_delta`` on
# first use, and would flip it again after a restore.
# Source: keras/src/callbacks/monitor_callback.py, ``_set_monitor_op``, Keras 3.15.
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
"""Attributes of Keras' callbacks that change during a fit and decide what they do next."""

SAVED = "saved_attributes"
"""Name of the attribute in which a user's callback lists the attributes to save."""


def names_of_state(callback: object) -> tuple[str, ...]:
    """Return the names of the attributes that are a callback's state."""
    found: list[str] = []
    for kind in type(callback).__mro__:
        if kind.__module__.startswith("keras."):
            found += _KNOWN.get(kind.__name__, ())
    found += [str(name) for name in getattr(callback, SAVED, ())]
    return tuple(dict.fromkeys(found))


def callback_states(callbacks: Iterable[object]) -> list[dict[str, Any]]:
    """Return the state of each callback, in order; empty for a callback without state."""
    return [
        {
            "kind": _kind(callback),
            "state": {
                name: getattr(callback, name)
                for name in names_of_state(callback)
                if hasattr(callback, name)
            },
        }
        for callback in callbacks
    ]


def restore_callbacks(
    callbacks: Iterable[object], states: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Restore states, within a class in order; return sentences about those that could not be."""
    waiting = [saved for saved in states if saved["state"]]
    problems: list[str] = []
    for callback in callbacks:
        known = names_of_state(callback)
        state = next((saved for saved in waiting if saved["kind"] == _kind(callback)), None)
        if state is None:
            if known and not _is_bookkeeping(callback):
                problems.append(f"the checkpoint holds no state of {_kind(callback)}")
            continue
        waiting.remove(state)
        for name, value in state["state"].items():
            if name in known:
                setattr(callback, name, value)
    return problems + [
        f"{saved['kind']} is not among the callbacks any more"
        for saved in waiting
        if saved["kind"] != "keras History"
    ]


def _is_bookkeeping(callback: object) -> bool:
    return isinstance(callback, cast("Any", keras).callbacks.History)


def _kind(callback: object) -> str:
    kind = type(callback)
    top = kind.__module__.split(".")[0]
    return f"{top} {kind.__name__}" if top == "keras" else kind.__qualname__
