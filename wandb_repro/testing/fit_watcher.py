"""The callback of a fresh process, which digests every step of every ``fit``."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

import keras

from wandb_repro.keras import ReproCallback
from wandb_repro.recording.patch_fit import add_callback, change_every_fit
from wandb_repro.testing.process_recorder import ProcessRecorder


def watch_every_fit(module: ModuleType, recorder: ProcessRecorder, *, goes_on: bool) -> None:
    """Record every step of every ``fit``; if it ``goes_on``, count from its checkpoint's step."""

    def watched(callbacks: Any, model: Any) -> None:
        # Before all others, so that our initial digest precedes a callback's restore, and a
        # restored model is seen as a change.
        add_callback(callbacks, model, _Watching(recorder, goes_on=goes_on), first=True)

    change_every_fit(module, watched)


class _Watching(ReproCallback):
    """Reports to a process recorder instead of the session of a W&B run."""

    def __init__(self, recorder: ProcessRecorder, *, goes_on: bool) -> None:
        self._process = recorder
        self._goes_on = goes_on
        self._placed = True
        super().__init__(steps=1)

    def _find_sink(self) -> None:
        self._sink = self._process

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the initial weights."""
        super().on_train_begin(logs)
        self._placed = not self._goes_on

    def batch_began(self, batch: int) -> None:
        """Count from the optimizer's step when the first step after a restore begins."""
        if not self._placed and self.recorder is not None:
            self._placed = True
            self.recorder.resume_at(_iterations(cast("Any", self).model), batch)
        super().batch_began(batch)


def _iterations(model: object) -> int:
    """Return how many steps the model's optimizer took; 0 if it has none."""
    kind = cast("Any", keras).optimizers.Optimizer
    values = [getattr(model, "optimizer", None), *vars(model).values()]
    optimizers = [cast("Any", value) for value in values if isinstance(value, kind)]
    return max((int(optimizer.iterations) for optimizer in optimizers), default=0)
