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
"""Keras' own that leave the weights and the optimizer alone between steps."""


def changes_between_steps(callback: object) -> bool:
    """Tell whether a callback may change the weights between two steps.

    True of every callback that has a hook there, unless it is Keras' own and known to change
    nothing, W&B's, or ours.
    """
    kind = type(callback)
    package = kind.__module__.split(".")[0]
    if package in ("wandb", "wandb_repro"):
        return False
    if package == "keras" and kind.__name__ in _READ_ONLY:
        return False
    base: Any = cast("Any", keras).callbacks.Callback
    own = vars(callback)  # LambdaCallback keeps the functions that it is given on itself
    return any(
        name in own or getattr(kind, name, None) is not getattr(base, name, None) for name in _HOOKS
    )
