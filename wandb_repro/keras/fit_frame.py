"""The running ``fit``, found through the frames that called a callback."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple, cast

_DEPTH = 8
"""Most frames between ours and that of Keras' list of callbacks."""


class FitFrame(NamedTuple):
    """What Keras does not pass to a callback: its list of callbacks, and the variables of ``fit``.

    If the frames are not as in Keras 3.15, the list is None and the variables are empty. The final
    weights are then those that our callback sees, there is no warning of a repeated order, and
    batches are not digested.
    """

    callback_list: Any
    """Keras' ``CallbackList``; None if it was not found."""
    locals: Mapping[str, Any]
    """Local variables of ``fit``, after ``validation_split`` was made; empty if not found."""
    id: int = 0
    """Id of the frame of ``fit``, for ``is_running``; 0 if it was not found."""

    @classmethod
    def around(cls, callback: object) -> FitFrame:
        """Return the fit that is calling a callback's ``on_train_begin``."""
        frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        for _ in range(_DEPTH):
            if frame is None:
                break
            owner = frame.f_locals.get("self")
            callbacks: object = getattr(owner, "callbacks", None)
            if owner is not callback and isinstance(callbacks, list) and callback in callbacks:
                fit = frame.f_back
                if fit is None or fit.f_code.co_name != "fit":
                    return cls(owner, {})
                return cls(owner, fit.f_locals, id(fit))
            frame = frame.f_back
        return cls(None, {})

    @property
    def callbacks(self) -> list[Any]:
        """The callbacks of this fit; empty if they were not found."""
        if self.callback_list is None:
            return []
        return cast("list[Any]", self.callback_list.callbacks)


def is_running(thread: int, frame_id: int) -> bool:
    """Tell whether a thread, by its ident, is inside the ``fit`` whose frame had this id."""
    frame = sys._current_frames().get(thread)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        if id(frame) == frame_id and frame.f_code.co_name == "fit":
            return True
        frame = frame.f_back
    return False
