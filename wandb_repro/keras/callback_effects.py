"""Which callbacks may change the weights while no step runs."""

from __future__ import annotations

from typing import Any, cast

import keras

_HOOKS = (
    *("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    *("on_epoch_begin", "on_epoch_end"),
)

_READ_ONLY = (
    *("History", "ProgbarLogger", "CSVLogger", "TensorBoard", "ModelCheckpoint"),
    *("BackupAndRestore", "TerminateOnNaN", "RemoteMonitor", "EarlyStopping"),
)
"""Keras' callbacks that do not change the weights or the optimizer between steps."""


def changes_between_steps(callback: object) -> bool:
    """Tell whether a callback may change the weights between two steps.

    True of every callback with a hook there, unless it is ours, W&B's, or a callback of Keras that
    is known to change nothing.
    """
    kind = type(callback)
    package = kind.__module__.split(".")[0]
    if package in ("wandb", "wandb_repro"):
        return False
    if package == "keras" and kind.__name__ in _READ_ONLY:
        return False
    base: Any = cast("Any", keras).callbacks.Callback
    attributes = vars(callback)  # LambdaCallback sets its functions as attributes of itself
    return any(
        name in attributes or getattr(kind, name, None) is not getattr(base, name, None)
        for name in _HOOKS
    )
