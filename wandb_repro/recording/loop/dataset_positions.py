"""How far a loop is in its data, and how to get there in another process.

The order of a shuffled ``tf.data`` pipeline depends on how many iterators were made of it before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from wandb_repro.recording.rng_registry import registered_by_name
from wandb_repro.state.living_objects import living_objects
from wandb_repro.state.rng_state import restore_rng_states, rng_states

NO_BATCHES = "how far the loop is in its data is not known; iterate over watch.batches(dataset)"
INSIDE = (
    "an epoch ends inside the data, and where is not saved; iterate over watch.batches(dataset) "
    "anew in each epoch"
)


class DatasetPositions:
    """Counts the iterations over each dataset that exists when a loop begins.

    A dataset that is made inside the loop begins anew, in every process.

    Args:
        before: the counts of ``state`` in another process, to begin with.
    """

    def __init__(self, before: Sequence[int] = ()) -> None:
        self._pipelines = _ids_of_pipelines()
        self._before = tuple(before)
        self._begun: dict[int, int] = {}
        self._is_used = False
        self._open = 0
        self._inside = False

    def begin(self, dataset: object) -> None:
        """Note that an iteration over a dataset begins, after those of another process."""
        self._is_used = True
        self._open += 1
        key = id(dataset)
        if key not in self._pipelines:
            return
        if key not in self._begun:
            position = len(self._begun)
            self._begun[key] = self._before[position] if position < len(self._before) else 0
            _make_iterators(dataset, self._begun[key])
        self._begun[key] += 1

    def end(self, dataset: object, *, exhausted: bool) -> None:
        """Note that an iteration ended, with or without its last batch."""
        self._open -= 1
        if isinstance(dataset, Iterator) and not exhausted:
            self._inside = True

    def state(self) -> list[int]:
        """Return how often each dataset was iterated over, in order of first use."""
        return list(self._begun.values())

    def unsaved(self) -> list[str]:
        """Return what ``state`` does not say, in words."""
        if not self._is_used:
            return [NO_BATCHES]
        return [INSIDE] if self._open or self._inside else []


def _ids_of_pipelines() -> frozenset[int]:
    """Return the ids of the ``tf.data`` pipelines that exist; the loop keeps those that it uses."""
    tensorflow: Any = sys.modules.get("tensorflow")
    if not hasattr(tensorflow, "data"):
        return frozenset()
    return frozenset(id(each) for _, each in living_objects([tensorflow.data.Dataset]))


def _make_iterators(dataset: Any, count: int) -> None:
    """Make iterators of a pipeline, and drop them; no generator is used up."""
    if count:
        states = rng_states(registered_by_name())
        for _ in range(count):
            iter(dataset)
        restore_rng_states(states, registered_by_name())
