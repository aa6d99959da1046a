"""The interface to which a callback reports a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeAlias

from wandb_repro.capture.weights import Variable
from wandb_repro.manifest.trail_records import (
    Checkpoint,
    Granularity,
    Losses,
    Missing,
    Moment,
    Resumed,
    Seen,
)

Note: TypeAlias = Granularity | Missing | Losses | Seen | Checkpoint | Resumed
"""Records of a training other than its weights."""


class Point(NamedTuple):
    """A point of a fit at which its weights are digested, with further values of that record."""

    moment: Moment
    fit: int
    """Number that ``begin_fit`` returned."""
    epoch: int
    """Epochs that are complete."""
    step: int
    """Optimizer steps of this fit that are complete."""
    metrics: Mapping[str, str] = MappingProxyType({})
    """Of the epoch, each as ``float.hex`` writes it."""
    before: str | None = None
    """For a step: root digest of the weights when the step began, if it was taken."""
    data: str | None = None
    """For a step: root digest of the batches since the record before."""

    def place(self) -> dict[str, Any]:
        """Return the fields that each record of this point has."""
        return {"fit": self.fit, "moment": self.moment, "epoch": self.epoch, "step": self.step}


class TrailSink(Protocol):
    """Where the events of a training go; several fits may be open at once, nested or in turns.

    ``Session`` records for a W&B run: none of its methods raises anything but ``RerunStopped``
    (and what a signal handler raises), so an error in recording never ends a training.
    ``TrailRecorder`` and ``ProcessRecorder`` raise OSError if the trail cannot be written.
    """

    @property
    def ended(self) -> bool:
        """Whether nothing more is recorded: the trail is closed, or belongs to another process."""
        ...

    @property
    def fits(self) -> int:
        """How many fits have begun, which is also the number of the latest."""
        ...

    @property
    def steps(self) -> int | Sequence[int] | None:
        """After which steps to digest if the callback has no ``steps``: every N, or these."""
        ...

    def begin_fit(self, model: object, arguments: Mapping[str, object] | None = None) -> int:
        """Open the next fit and return its number, from 1.

        The record that a rerun needs is on the disk when the first fit's call returns.

        Args:
            model: the Keras model that trains.
            arguments: the local variables of ``fit``, after ``validation_split`` was made.
        """
        ...

    def end_fit(self, fit: int) -> None:
        """Close a fit and free its digests; others stay open. Closing twice is allowed."""
        ...

    def weights(self, point: Point, variables: Iterable[Variable]) -> None:
        """Digest variables and write the digests; in a rerun, compare them at once.

        The record of a step may still be in a buffer when this returns; the record of any other
        moment is on the disk. The values are not kept.

        Args:
            point: where in the training.
            variables: in the model's order; read once, inside this call.

        Raises:
            RerunStopped: in a rerun with nothing left to compare; it ends the process cleanly.
        """
        ...

    def write(self, record: Note) -> None:
        """Write another record of a fit; a checkpoint is on the disk when this returns.

        A later ``Granularity`` of a fit replaces an earlier one.
        """
        ...

    def root_now(self, variables: Sequence[Variable]) -> str | None:
        """Return the root digest of variables and write nothing; None if nothing is recorded."""
        ...

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        """Tell whether to digest after this step, regardless of the callback's ``steps``.

        True if the original of a rerun was digested there, or if a bisection requests it.
        """
        ...

    def wants_steps(self, fit: int) -> bool:
        """Tell whether ``wants_step`` may be true for any step of this fit."""
        ...

    def digests_fit(self, fit: int) -> bool:
        """Tell whether the weights of this fit are digested if it is a small one.

        Of thousands of small fits of one model, some are; the others' losses are kept.
        """
        ...
