"""What a callback reports a training to, and what it may rely on there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from wandb_repro.capture.weights import Variable
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Checkpoint, Granularity, Moment, Resumed


class TrailSink(Protocol):
    """Where the events of a training go; several fits may be open at once, nested or in turns.

    ``Session`` records for a W&B run: none of its methods raises anything but ``RerunStopped``
    (and what a signal handler raises), so a fault of the record never ends a training.
    ``TrailRecorder`` and ``ProcessRecorder`` raise OSError where the trail cannot be written.

    Counts are of what is complete: ``epoch`` epochs and ``step`` optimizer steps of that fit.
    """

    @property
    def ended(self) -> bool:
        """Whether nothing more is recorded: the trail is closed, or is another process's."""
        ...

    @property
    def fits(self) -> int:
        """How many fits began, so also the number of the last one that did."""
        ...

    @property
    def steps(self) -> int | Sequence[int] | None:
        """After which steps to digest where the callback has no ``steps``: every N, or these."""
        ...

    def begin_fit(self, model: object, arguments: Mapping[str, object] | None = None) -> int:
        """Open the next fit and return its number, from 1.

        The record that a rerun needs is on the disk when the first fit's call returns.

        Args:
            model: the one that trains.
            arguments: the local variables of ``fit``, after ``validation_split`` was made.
        """
        ...

    def end_fit(self, fit: int) -> None:
        """Close a fit and free what was kept for it; others stay open. Closing twice is allowed."""
        ...

    def granularity(self, record: Granularity) -> None:
        """Write what the records of a fit can show. A later one replaces the earlier."""
        ...

    def weights(
        self,
        moment: Moment,
        variables: Iterable[Variable],
        *,
        epoch: int,
        step: int,
        metrics: Mapping[str, str],
        fit: int | None = None,
        before: str | None = None,
        data: str | None = None,
    ) -> None:
        """Digest variables and write the digests; in a rerun, compare them at once.

        The record of a step may still be in a buffer when this returns; of any other moment it is
        on the disk. The values are not kept.

        Args:
            moment: when in the fit.
            variables: in the model's own order; read once, inside this call.
            epoch: epochs that are complete.
            step: steps of this fit that are complete.
            metrics: of the epoch, each as ``float.hex`` writes it.
            fit: number that ``begin_fit`` returned; None for the last fit that began.
            before: for a step: root digest of the weights when the step began, where it was taken.
            data: for a step: root digest of the batches since the record before.

        Raises:
            RerunStopped: in a rerun that has seen enough; it ends the process in order.
        """
        ...

    def missing(
        self, moment: Moment, reason: str, *, epoch: int, step: int, fit: int | None = None
    ) -> None:
        """Write why a moment has no digest."""
        ...

    def losses(
        self,
        values: Mapping[str, Sequence[float]],
        *,
        fit: int,
        epoch: int,
        first: int,
        every: int,
        last: int,
    ) -> None:
        """Write loss and metrics after steps, all their bits (float64).

        Args:
            values: by name, one value for each of the steps ``first``, ``first + every``, ...,
                the last of them for ``last``, which may come sooner than ``every`` steps.
            fit: number of the fit.
            epoch: epochs that are complete.
            first: step of this fit, from 1, after which the first value was reported.
            every: steps from one value to the next.
            last: step after which the last value was reported.
        """
        ...

    def seen(
        self, batches: tuple[str, ...] | Unavailable, rows: tuple[str, ...], *, epoch: int, fit: int
    ) -> None:
        """Write what the first batches of an epoch were.

        Args:
            batches: digest of each batch, or why there is none.
            rows: for each batch, the digest of all rows so far whatever their order; empty where
                rows could not be distinguished.
            epoch: epochs that are complete.
            fit: number of the fit.
        """
        ...

    def checkpoint(self, record: Checkpoint | Resumed) -> None:
        """Write a checkpoint, or that the training resumed from one; on the disk at once."""
        ...

    def root_now(self, variables: Sequence[Variable]) -> str | None:
        """Return the root digest of variables and write nothing; None where nothing is recorded."""
        ...

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        """Tell whether to digest after this step, whatever the callback's own ``steps`` are.

        True where the original of a rerun was digested, and where a bisection asks for it.
        """
        ...

    def wants_steps(self, fit: int) -> bool:
        """Tell whether ``wants_step`` may be true for any step of this fit."""
        ...
