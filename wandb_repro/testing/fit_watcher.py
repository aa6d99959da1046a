"""The callback of a fresh process: every step, and steps that count on where a training went on."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

import keras

from wandb_repro.keras import ReproCallback
from wandb_repro.keras.variables import variables_of
from wandb_repro.recording.patch_fit import change_every_fit, with_callback
from wandb_repro.recording.session import Session
from wandb_repro.testing.process_recorder import Notes

__all__ = ["note_result", "watch_every_fit"]


def watch_every_fit(module: ModuleType, notes: Notes, *, goes_on: bool) -> None:
    """Note every step of every ``fit`` of this process.

    Ours stands before all others: what a callback restores at the beginning is restored behind it.
    """
    change_every_fit(
        module, lambda given: with_callback(given, _Watching(notes, goes_on=goes_on), first=True)
    )


def note_result(result: object, notes: Notes) -> None:
    """Note the weights of a model that a training without any ``fit`` returned."""
    if notes.fits or not isinstance(result, cast("Any", keras).Model):
        return
    model: Any = result
    notes.begin_fit(model)
    # NOTE: how many steps there were nobody told; one, so that it counts as trained.
    notes.weights("final", variables_of(model), epoch=0, step=1, metrics={})
    notes.end_fit()


class _Watching(ReproCallback):
    """Tells notes instead of the session of a W&B run."""

    def __init__(self, notes: Notes, *, goes_on: bool) -> None:
        self._notes = notes
        self._goes_on = goes_on
        self._placed = True
        super().__init__(steps=1)

    def _find_session(self) -> None:
        self._session = cast("Session", self._notes)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Digest the initial weights."""
        super().on_train_begin(logs)
        self._placed = not self._goes_on

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Count from where the optimizer is, when the first step after a restoration begins."""
        if not self._placed:
            self._placed = True
            self._step = max(self._step, _iterations(self._trained))
            self._in_epoch = batch
            self._digest("step")
        super().on_train_batch_begin(batch, logs)


def _iterations(model: object) -> int:
    """Return how many steps the model's optimizer has behind it; 0 where it has none."""
    kind = cast("Any", keras).optimizers.Optimizer
    held = [getattr(model, "optimizer", None), *vars(model).values()]
    found = [cast("Any", one) for one in held if isinstance(one, kind)]
    return max((int(one.iterations) for one in found), default=0)
