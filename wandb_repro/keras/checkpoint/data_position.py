"""The position of a fit in its data: how much of each pipeline was used, and how to return there.

The order of a shuffled ``tf.data`` pipeline depends on how many iterators were made of it before,
and Keras makes more than one per epoch; so we count them as they are made. With
``steps_per_epoch``, an iterator runs through several epochs: its batches are skipped one by one.
Source: keras/src/trainers/epoch_iterator.py, Keras 3.15; measured: the same number of iterators
gives the same order in another process, half as many do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wandb_repro.state.keras_state import on_tensorflow


class DataPosition:
    """The positions of a fit, given by its local variables, in its training and validation data."""

    def __init__(self, fit: Mapping[str, Any]) -> None:
        self._training = _Counted(fit.get("epoch_iterator"))
        self._validation: _Counted | None = None
        self._held_out = fit.get("val_x")

    def see_validation(self, iterator: object) -> None:
        """Count the iterators of the validation data, too; Keras makes its epoch iterator late."""
        if iterator is None or (self._validation and self._validation.iterator is iterator):
            return
        begun = self._validation.begun if self._validation else 0
        self._validation = _Counted(iterator, begun)

    def state(self) -> dict[str, Any]:
        """Return the positions, for a checkpoint."""
        begun = self._validation.begun if self._validation else 0
        return {**self._training.state(), "validation": begun}

    def restore(self, state: Mapping[str, Any], skipping: Callable[[int], object]) -> None:
        """Move to the positions that ``state()`` returned in another process.

        ``skipping`` is called with the number of batches before they are skipped.
        """
        self._training.restore(int(state["begun"]), int(state["taken"]), skipping)
        for _ in range(int(state["validation"])):
            if not _began(self._held_out):
                break
        if state["validation"]:
            self._validation = _Counted(None, int(state["validation"]))


def _began(dataset: Any) -> bool:
    """Make an iterator of a ``tf.data`` pipeline and drop it; return False for anything else."""
    if not hasattr(dataset, "element_spec"):
        return False
    iter(dataset)
    return True


class _Counted:
    """An epoch iterator of Keras, and how many iterators of its pipeline were made."""

    def __init__(self, iterator: Any, begun: int = 0) -> None:
        self.iterator = iterator
        self.begun = begun
        if iterator is None:
            return
        begin = iterator._get_iterator
        iterator._get_iterator = self._on_tensorflow(begin) if on_tensorflow() else self._on(begin)

    @property
    def adapter(self) -> Any:
        return getattr(self.iterator, "data_adapter", None)

    def _on_tensorflow(self, begin: Callable[[], Any]) -> Callable[[], Any]:
        def counted() -> Any:
            self.begun += 1
            return begin()

        return counted

    def _on(self, begin: Callable[[], Any]) -> Callable[[], Iterator[Any]]:
        def counted() -> Iterator[Any]:
            self.begun += 1
            yield from begin()

        return counted

    def state(self) -> dict[str, Any]:
        return {"begun": self.begun, "taken": self._taken(), "kind": type(self.adapter).__name__}

    def _taken(self) -> int:
        """Return how many batches were used of an iterator that the next epoch continues."""
        spans_epochs = getattr(self.iterator, "steps_per_epoch", None) is not None
        current = getattr(self.iterator, "_current_iterator", None)
        return int(self.iterator._steps_seen) if spans_epochs and current is not None else 0

    def restore(self, begun: int, taken: int, skipping: Callable[[int], object]) -> None:
        iterator = self.iterator
        if iterator is None:
            return
        pipeline = getattr(self.adapter, "_dataset", None)
        spans_epochs = iterator.steps_per_epoch is not None and begun > 0
        for _ in range(begun - 1 if spans_epochs else begun):
            if not _began(pipeline):
                break
        if spans_epochs:
            skipping(taken)
            iterator._current_iterator = iter(iterator._get_iterator())
            iterator._steps_seen = taken
            for _ in range(taken):
                next(iterator._current_iterator)
        self.begun = begun
