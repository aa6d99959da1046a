"""Finds the best epoch by a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wandb_repro.errors import UsageError
from wandb_repro.recording.fit.losses import number_of
from wandb_repro.recording.messages import warn_once

_MODES = ("auto", "min", "max")
_UP = ("acc", "auc", "precision", "recall", "f1", "iou", "r2")


class BestEpoch:
    """The best epoch so far.

    Args:
        monitor: name of the metric; None takes ``val_loss`` if there is one, else ``loss``.
        mode: ``min``, ``max``, or ``auto``: the direction that the metric declares, else ``max``
            for names such as ``val_accuracy`` and ``min`` for others.

    Raises:
        UsageError: ``mode`` is not one of the three.
    """

    def __init__(self, monitor: str | None, mode: str) -> None:
        if mode not in _MODES:
            raise UsageError(f"mode={mode!r} is not one of {', '.join(_MODES)}.")
        self._monitor = monitor
        self._mode = mode
        self.epoch: int | None = None
        self._value = 0.0

    def see(self, epoch: int, logs: Mapping[str, Any], model: Any) -> bool:
        """Take an epoch's metrics; return whether it is the best so far.

        ``epoch`` epochs are complete; ``model`` knows the direction of its metrics.
        """
        name = self._monitor or ("val_loss" if "val_loss" in logs else "loss")
        value = number_of(logs.get(name))
        if value is None:
            if self._monitor is not None:
                names = ", ".join(map(str, logs))
                warn_once(f"no best checkpoint is kept: {name!r} is not one of the metrics {names}")
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
        for outer in getattr(model, "metrics", ()):
            for metric in (outer, *getattr(outer, "metrics", ())):
                if metric.name == plain and hasattr(metric, "_direction"):
                    return bool(metric._direction == "up")
        return any(part in plain for part in _UP)

    def state(self) -> dict[str, Any]:
        """Return the best epoch, for a checkpoint."""
        return {"epoch": self.epoch, "value": self._value}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the best epoch from a checkpoint."""
        self.epoch, self._value = state["epoch"], state["value"]
