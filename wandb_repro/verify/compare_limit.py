"""Limits a comparison to part of two trainings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.trail_records import WHOLE_RUN, Shape, Weights

Moments = tuple[Weights, tuple[Shape, ...]]
_M = TypeVar("_M", bound=Moments)


@dataclass(frozen=True)
class Limit:
    """Compare up to the first moment at which this epoch or this step is complete.

    None means to the end. With both, the earlier one counts. Epochs and steps are counted in one
    ``fit``, and in those after it if it ends earlier.
    """

    epoch: int | None = None
    step: int | None = None
    after: int | None = None
    """Epochs that are left out: the training begins with the checkpoint saved after them."""
    fit: int = 1
    """The ``fit`` in which epochs and steps are counted, the first being 1."""
    passed: tuple[int, ...] = ()
    """Earlier fits that did not train: their weights came from their checkpoints."""
    continued: str = ""
    """The run that went on from a checkpoint after these epochs, ``rerun``; empty if none did."""
    rows: bool = True
    """Whether logged rows are compared, and the states of the run before its end."""
    end: bool = True
    """Whether the states at the end are compared: only if both runs ended in the same way."""

    @classmethod
    def of_request(cls, request: RerunRequest) -> Limit:
        """Return the part that a rerun request selects."""
        passed = tuple(beginning.fit for beginning in request.beginnings if beginning.is_over)
        return cls(
            request.until_epoch, request.until_step, request.from_epoch, request.from_fit, passed
        )

    def leaves_out(self, fit: int) -> bool:
        """Tell whether a ``fit`` is not compared: it would compare a checkpoint with itself."""
        # A part that begins with a checkpoint has neither the earlier rows nor their states.
        is_part = self.after is not None or bool(self.passed)
        return fit in self.passed or (fit == WHOLE_RUN and is_part)

    def leaves_out_moment(self, weights: Weights) -> bool:
        """Tell whether this moment is not compared, wherever it is."""
        kept = {"fit": self.rows, "logged": self.rows, "end": self.end}.get(weights.moment, True)
        return self.leaves_out(weights.fit) or not kept

    def before(self, weights: Weights) -> bool:
        """Tell whether this moment comes before the part that is compared."""
        if self.leaves_out_moment(weights):
            return True
        if self.after is None or weights.fit != self.fit or weights.moment == "final":
            return False
        return weights.epoch < self.after + (weights.moment != "step")

    def reached_by(self, weights: Weights) -> bool:
        """Tell whether this moment is the last that is compared."""
        if weights.moment == "initial" or weights.fit < self.fit:
            return False
        epoch_done = self.epoch is not None and weights.epoch >= self.epoch
        step_done = self.step is not None and weights.step >= self.step
        return epoch_done or step_done

    def within(self, moments: Iterable[_M]) -> Iterator[_M]:
        """Yield a trail's moments, in order, up to the first that reaches the limit."""
        for moment in moments:
            yield moment
            if self.reached_by(moment[0]):
                return

    def __str__(self) -> str:
        """Return the limit in words: ``epoch 3, from the checkpoint of epoch 1``; empty if none."""
        numbers = {"epoch": self.epoch, "step": self.step}
        parts = [f"{name} {number}" for name, number in numbers.items() if number is not None]
        if self.after is None:
            return " and ".join(parts)
        if self.continued and not parts:
            return f"the end, from epoch {self.after + 1}: the {self.continued} continued there"
        of_fit = f" of fit {self.fit}" if self.fit > 1 else ""
        end = f"{' and '.join(parts)}{of_fit}" if parts else "the end"
        start = f"the checkpoint of epoch {self.after}" if self.after else "the start"
        skipped = " and ".join(f"fit {fit}" for fit in self.passed)
        not_compared = f"; not compared: {skipped}" if skipped else ""
        return f"{end}, from {start}{of_fit}{not_compared}"
