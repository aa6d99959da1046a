"""Arrays in a new order each epoch, which depends only on the seed and the epoch's number.

There is no state to save: a training that starts at epoch N uses the order of epoch N.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, cast

import keras
import numpy

from wandb_repro.errors import UsageError
from wandb_repro.recording.messages import warn_once
from wandb_repro.recording.process_state import process

_DEPTH = 16
"""Frames to search for ``fit``, which on TensorFlow is four above ours."""

_numpy: Any = numpy
_tree: Any = cast("Any", keras).tree
_PyDataset: Any = cast("Any", keras).utils.PyDataset


def shuffled(
    x: object,
    y: object = None,
    batch_size: int = 32,
    *,
    sample_weight: object = None,
    seed: int | None = None,
) -> Shuffled:
    """Return batches for ``fit``, in an order determined by the seed and the epoch.

    On TensorFlow, a seeded ``fit`` on NumPy arrays repeats the same order each epoch; this does
    not. The order is the same on every backend, and when a training resumes with
    ``initial_epoch``.

    Args:
        x: examples along the first axis: arrays, or a dict, list or tuple of them.
        y: targets, likewise; None if there are none.
        batch_size: examples per batch; an epoch's last batch may have fewer.
        sample_weight: one number per example; None weights all equally.
        seed: of the order; None takes the seed of the recorded run.

    Raises:
        UsageError: the arrays have different numbers of examples, or none, or ``batch_size`` is
            less than 1.

    Example:
        >>> model.fit(shuffled(x_train, y_train, 128, seed=7), epochs=10)
    """
    given = (x, y, sample_weight)[: 1 if y is None else 2 if sample_weight is None else 3]
    if batch_size < 1:
        raise UsageError(f"batch_size={batch_size} is not a batch size; give 1 or more.")
    return Shuffled(_tree.map_structure(_numpy.asarray, given), batch_size, seed)


class Shuffled(_PyDataset):
    """The dataset of ``shuffled``. A custom training loop can use ``batches_of(epoch)``."""

    def __init__(self, parts: Any, batch_size: int, seed: int | None) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
        self._parts = parts
        self._rows = _rows_of(_tree.flatten(parts))
        self._batch_size = batch_size
        self._seed = seed
        self._order: Any = None

    def __len__(self) -> int:
        return -(-self._rows // self._batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if self._order is None:
            self._order = self.order_of(0)
        return self._batch(self._order, index)

    def _batch(self, order: Any, index: int) -> tuple[Any, ...]:
        rows = order[index * self._batch_size : (index + 1) * self._batch_size]

        def taken(array: Any) -> Any:
            return array.take(rows, 0)

        return _tree.map_structure(taken, self._parts)

    def order_of(self, epoch: int) -> Any:
        """Return the order of an epoch.

        Args:
            epoch: its number, from 0, as ``fit`` counts.

        Returns:
            NumPy array of shape (examples,), dtype int64: indices of rows.
        """
        if self._seed is None:
            self._seed = _seed_of_run()
        key = _numpy.random.SeedSequence([self._seed, epoch])
        return _numpy.random.Generator(_numpy.random.PCG64(key)).permutation(self._rows)

    def batches_of(self, epoch: int) -> Iterator[tuple[Any, ...]]:
        """Yield the batches of an epoch, each a tuple of inputs, targets and weights."""
        order = self.order_of(epoch)
        for index in range(len(self)):
            yield self._batch(order, index)

    def on_epoch_begin(self) -> None:
        """Switch to the order of the epoch that begins; Keras calls this.

        Raises:
            UsageError: ``steps_per_epoch`` makes Keras stop within an epoch.
        """
        fit = _fit_around(self)
        epoch = 0
        if fit is not None:
            epoch = int(fit.get("epoch", fit.get("initial_epoch", 0)))
            self._check(fit["epoch_iterator"])
        self._order = self.order_of(epoch)

    def _check(self, iterator: Any) -> None:
        """Make Keras take the batches in order: by default it shuffles their indices."""
        if not hasattr(iterator.data_adapter, "shuffle"):
            # Setting an attribute that Keras does not read would silently do nothing.
            warn_once(
                "this version of Keras may shuffle the batches of shuffled() once more; "
                "pass shuffle=False to fit"
            )
        iterator.data_adapter.shuffle = False
        steps = getattr(iterator, "steps_per_epoch", None)
        if steps and steps != len(self):
            raise UsageError(
                f"steps_per_epoch={steps}, and shuffled() has {len(self)} batches an epoch.",
                hint="Leave steps_per_epoch out.",
            )


def _rows_of(arrays: list[Any]) -> int:
    counts = {len(array) if array.ndim else 0 for array in arrays}
    if len(counts) != 1 or not max(counts):
        found = ", ".join(map(str, sorted(counts))) or "none"
        raise UsageError(f"The arrays must have the same number of examples, not {found}.")
    return counts.pop()


def _seed_of_run() -> int:
    """Return the seed of the recorded run, else a number from Python's generator."""
    seeding = process.seeding
    if seeding is not None and seeding.seed is not None:
        return seeding.seed
    if seeding is None:
        warn_once(
            "shuffled() has no seed: no run is recorded yet; call wandb_repro.init(...) first, or "
            "give seed=, for an order that can be repeated"
        )
    return random.getrandbits(31)


def _fit_around(dataset: Shuffled) -> dict[str, Any] | None:
    """Return the variables of the ``fit`` that trains on a dataset; None if there is none."""
    # NOTE: Keras notifies a dataset that an epoch begins, but only ``fit`` knows which one.
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    for _ in range(_DEPTH):
        if frame is None:
            break
        if frame.f_code.co_name == "fit":
            adapter = getattr(frame.f_locals.get("epoch_iterator"), "data_adapter", None)
            if getattr(adapter, "py_dataset", None) is dataset:
                return frame.f_locals
        frame = frame.f_back
    return None
