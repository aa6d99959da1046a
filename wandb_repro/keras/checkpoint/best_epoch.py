"""Which epoch was the best, by a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wandb_repro.errors import UsageError
from wandb_repro.keras.losses import number_of
from wandb_repro.recording.messages import warn_once

__all__ = ["Best"]

_MODES = ("auto", "min", "max")
_UP = ("acc", "auc", "precision", "recall", "f1", "iou", "r2")


class Best:
    """The best epoch so far.

    Args:
        monitor: name of the metric; None takes ``val_loss`` where there is one, else ``loss``.
        mode: ``min``, ``max``, or ``auto`` to tell it from the metric.

    Raises:
        UsageError: there is no such mode.
    """

    def __init__(self, monitor: str | None, mode: str) -> None:
        if mode not in _MODES:
            raise UsageError(f"mode={mode!r} is none of {', '.join(_MODES)}.")
        self._monitor = monitor
        self._mode = mode
        self.epoch: int | None = None
        self._value = 0.0

    def see(self, epoch: int, logs: Mapping[str, Any], model: Any) -> bool:
        """Take an epoch's metrics; tell whether it is the best so far."""
        name = self._monitor or ("val_loss" if "val_loss" in logs else "loss")
        value = number_of(logs.get(name))
        if value is None:
            if self._monitor is not None:
                there = ", ".join(map(str, logs))
                warn_once(f"no best checkpoint is kept: {name!r} is not among the metrics {there}")
            return False
        better = value > self._value if self._goes_up(name, model) else value < self._value
        if self.epoch is None or better:
            self.epoch, self._value = epoch, value
            return True
        return False

    def _goes_up(self, name: str, model: Any) -> bool:
        if self._mode != "auto":
            return self._mode == "max"
        plain = name.removeprefix("val_")
        for metric in getattr(model, "metrics", ()):
            for one in (metric, *getattr(metric, "metrics", ())):
                if one.name == plain and hasattr(one, "_direction"):
                    return bool(one._direction == "up")
        return any(part in plain for part in _UP)

    def told(self) -> dict[str, Any]:
        """Return it as a checkpoint holds it."""
        return {"epoch": self.epoch, "value": self._value}

    def put_back(self, told: Mapping[str, Any]) -> None:
        """Take over what a checkpoint holds."""
        self.epoch, self._value = told["epoch"], told["value"]
