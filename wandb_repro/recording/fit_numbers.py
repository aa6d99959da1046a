"""Numbers the fits of a run, in a rerun as in the original."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from itertools import count
from typing import Any, cast

from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.recording.process_state import process
from wandb_repro.state.whole_state import note_digested


class FitNumbers:
    """Numbers fits from 1. In a rerun, the Nth fit of a model gets the original's number.

    Two threads may begin their fits in another order than in the original.

    Args:
        live: compares with the original, in a rerun.
    """

    def __init__(self, live: LiveComparison | None) -> None:
        self._live = live
        self._fits_of: Counter[int] = Counter()
        self._models: dict[int, int] = {}
        self._open: dict[int, list[weakref.ref[Any]]] = {}
        self._digested = set[int]()
        """Of the open fits, those whose final state was digested."""

    def next_fit(self, model: object) -> int:
        """Return the number of the next fit, which trains this model."""
        registry = process.registry
        registry.search()
        keras: Any = sys.modules.get("keras")
        if hasattr(keras, "Model") and isinstance(model, keras.Model):
            registry.add("model", model)
        number_of_model = registry.number_of("model", model)
        self._fits_of[number_of_model] += 1
        number = self._original_number(number_of_model) or self._unused()
        self._models[number] = number_of_model
        self._open[number] = _references(model)
        return number

    def _original_number(self, model: int) -> int | None:
        if self._live is None or not model:
            return None
        number = self._live.number_of_fit(model, self._fits_of[model])
        return None if number in self._models else number

    def _unused(self) -> int:
        """Return the first number that neither this run nor the original gave to a model."""
        reserved = self._live.reserved_fits if self._live is not None else frozenset[int]()
        first = len(self._models) + 1 if not reserved else 1
        return next(n for n in count(first) if n not in self._models and n not in reserved)

    def model_of(self, fit: int) -> int:
        """Return the number of the model that a fit trains; 0 if it is not known."""
        return self._models.get(fit, 0)

    def note_digested(self, fit: int) -> None:
        """Note that the final state of a fit or a watched loop was digested."""
        self._digested.add(fit)
        note_digested(process.registry, _optimizers(self._trains(fit)))

    def trained_by(self, fit: int) -> frozenset[str]:
        """Return what an open fit trains: ``model 2``, ``optimizer 1``."""
        things = self._trains(fit)
        numbers = [("model", process.registry.number_of("model", thing)) for thing in things]
        numbers += [
            ("optimizer", process.registry.number_of("optimizer", each))
            for each in _optimizers(things)
        ]
        return frozenset(f"{kind} {number}" for kind, number in numbers if number)

    def end(self, fit: int) -> bool:
        """Forget a fit, and tell whether its final state was digested."""
        self._open.pop(fit, None)
        digested = fit in self._digested
        self._digested.discard(fit)
        return digested

    def _trains(self, fit: int) -> list[object]:
        return [reference() for reference in self._open.get(fit, ())]


def _optimizers(things: list[object]) -> list[object]:
    return [getattr(thing, "optimizer", thing) for thing in things]


def _references(model: Any) -> list[weakref.ref[Any]]:
    """Return references to a model, or to the optimizers of a watched loop."""
    optimizers = getattr(model, "optimizers", None)
    things = cast("tuple[Any, ...]", optimizers if isinstance(optimizers, tuple) else (model,))
    return [weakref.ref(thing) for thing in things if getattr(thing, "__weakref__", 0) != 0]
