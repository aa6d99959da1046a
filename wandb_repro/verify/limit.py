"""How far two trainings are compared when not to their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from wandb_repro.manifest.trail import Shape, Weights

__all__ = ["Limit"]

Moments = tuple[Weights, tuple[Shape, ...]]
_M = TypeVar("_M", bound=Moments)


@dataclass(frozen=True)
class Limit:
    """Compare only so far: up to the first moment that has this epoch or this step behind it.

    None means to the end. With both, whichever comes first.
    """

    epoch: int | None = None
    step: int | None = None
    after: int | None = None
    """Epochs that are left out: the training begins with a checkpoint that has them behind it."""

    def before(self, weights: Weights) -> bool:
        """Tell whether this moment lies before the part that is compared."""
        if self.after is None or weights.fit != 1 or weights.moment == "final":
            return False
        return weights.epoch < self.after + (weights.moment != "step")

    def reached_by(self, weights: Weights) -> bool:
        """Tell whether this moment is the last that counts."""
        if weights.moment == "initial":
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
        """Return it in words, empty when there is no limit."""
        parts = [
            f"{name} {number}"
            for name, number in (("epoch", self.epoch), ("step", self.step))
            if number is not None
        ]
        if self.after is None:
            return " and ".join(parts)
        end = " and ".join(parts) or "the end"
        return f"{end}, from the checkpoint of epoch {self.after}"
