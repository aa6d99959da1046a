"""Numbers the fits of a run, in a rerun as in the original."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from itertools import count
from typing import Any, NamedTuple, cast

from wandb_repro.manifest.trail_records import Granularity
from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.recording.process_state import process
from wandb_repro.state.whole_state import note_digested
from wandb_repro.verify.fit_pairs import model_key


class _Trains(NamedTuple):
    """What a fit trains, as ``Granularity`` has it."""

    model: int = 0
    thread: str = ""

    def key(self) -> tuple[str, int]:
        """Return what the fits of one model are counted by."""
        return model_key(self.thread, self.model)


class FitNumbers:
    """Numbers fits from 1. In a rerun, the Nth fit of a model gets the original's number.

    Two threads may begin their fits in another order than in the original. Of the models that
    a pool's threads made, nothing tells which is which: the Nth fit gets the number of the Nth.

    Args:
        live: compares with the original, in a rerun.
    """

    def __init__(self, live: LiveComparison | None) -> None:
        self._live = live
        self._fits_of: Counter[tuple[str, int]] = Counter()
        self._models: dict[int, _Trains] = {}
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
        trains = self._what_trains(model)
        self._fits_of[trains.key()] += 1
        number = self._original_number(trains) or self._unused()
        self._models[number] = trains
        self._open[number] = _references(model)
        return number

    def _what_trains(self, model: object) -> _Trains:
        registry = process.registry
        entry = registry.entry_of("model", model)
        if entry is None:
            return _Trains(0, str(registry.threads.current()))
        return _Trains(entry.number, str(entry.place))

    def _original_number(self, trains: _Trains) -> int | None:
        if self._live is None or trains == _Trains():
            return None
        number = self._live.number_of_fit(*trains.key(), self._fits_of[trains.key()])
        return None if number in self._models else number

    def _unused(self) -> int:
        """Return the first number that neither this run nor the original gave to a model."""
        reserved = self._live.reserved_fits if self._live is not None else frozenset[int]()
        first = len(self._models) + 1 if not reserved else 1
        return next(n for n in count(first) if n not in self._models and n not in reserved)

    def described(self, record: Granularity) -> Granularity:
        """Return the record of a fit with the model that it trains."""
        trains = self._models.get(record.fit, _Trains())
        update = {"model": trains.model} | ({"thread": trains.thread} if trains.thread else {})
        return record.model_copy(update=update)

    def note_digested(self, fit: int) -> None:
        """Note that the final state of a fit or a watched loop was digested."""
        self._digested.add(fit)
        note_digested(process.registry, _optimizers(self._trains(fit)))

    def trained_by(self, fit: int) -> frozenset[str]:
        """Return what an open fit trains: ``model 2``, ``optimizer 1``."""
        things = self._trains(fit)
        names = [process.registry.owner_name("model", thing) for thing in things]
        names += [process.registry.owner_name("optimizer", each) for each in _optimizers(things)]
        return frozenset(filter(None, names))

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
