"""What of the ``fit`` that is running a callback is not told."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple, cast

import keras

__all__ = ["Fit", "changes_between_steps"]

_DEPTH = 8
"""Frames between ours and that of Keras' list of callbacks: one decorator more or less."""


class Fit(NamedTuple):
    """What of the ``fit`` that is running a callback is not told.

    NOTE: Keras gives a callback neither its list nor fit's arguments; both stand in the frames
    that called ``on_train_begin``. Where they do not, the final weights are those that our
    callback sees, the same order is not warned of, and batches are not digested.
    """

    owner: Any
    """Keras' list of callbacks; None where it was not found."""
    locals: Mapping[str, Any]

    @classmethod
    def around(cls, callback: object) -> Fit:
        """Return the fit in whose frames a callback is called."""
        frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        for _ in range(_DEPTH):
            if frame is None:
                break
            owner = frame.f_locals.get("self")
            found: object = getattr(owner, "callbacks", None)
            if owner is not callback and isinstance(found, list) and callback in found:
                fit = frame.f_back
                in_fit = fit is not None and fit.f_code.co_name == "fit"
                return cls(owner, fit.f_locals if fit is not None and in_fit else {})
            frame = frame.f_back
        return cls(None, {})

    @property
    def callbacks(self) -> list[Any]:
        """The callbacks of this fit; none where they were not found."""
        return cast("list[Any]", self.owner.callbacks) if self.owner is not None else []


_BETWEEN = (
    *("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end"),
    *("on_epoch_begin", "on_epoch_end"),
)

_HARMLESS = (
    *("History", "ProgbarLogger", "CSVLogger", "TensorBoard", "ModelCheckpoint"),
    *("BackupAndRestore", "TerminateOnNaN", "RemoteMonitor", "EarlyStopping"),
)
"""Keras' own that leave the weights and the optimizer alone between steps."""


def changes_between_steps(callback: object) -> bool:
    """Tell whether a callback may change the weights while nothing trains."""
    kind = type(callback)
    keras_own = kind.__module__.startswith("keras.") and kind.__name__ in _HARMLESS
    if keras_own or kind.__module__.split(".")[0] in ("wandb", "wandb_repro"):
        return False
    base: Any = cast("Any", keras).callbacks.Callback
    own = vars(callback)  # LambdaCallback keeps what it is given on itself
    return any(
        name in own or getattr(kind, name, None) is not getattr(base, name, None)
        for name in _BETWEEN
    )
