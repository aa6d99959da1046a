"""In a rerun's process: each digest is compared the moment it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity, Shape, Weights, is_due
from wandb_repro.recording.messages import say
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.trail_diff import Reference
from wandb_repro.verify.weights_diff import FirstDifference, moment_name

__all__ = ["LiveComparison", "RerunStopped"]


class RerunStopped(SystemExit):
    """The rerun has shown what it can: its process ends, in order, without training on.

    A SystemExit passes the script's ``except Exception`` and runs its ``finally`` blocks.
    """


class LiveComparison:
    """The original's trail, and what the rerun does when it sees a difference."""

    def __init__(self, request: RerunRequest, original: Trail) -> None:
        self._limit = Limit.of_request(request)
        self._reference = Reference(original, limit=self._limit)
        self._planned = {it.fit: it for it in original.of(Granularity)}
        # Trails from before 1.1 do not say which steps were meant to be digested.
        self._steps = (
            set[tuple[int, int]]()
            if self._planned
            else {(it.fit, it.step) for it in original.moments() if it.moment == "step"}
        )
        self._steps_of = request.steps_fit, request.steps_after_epoch
        self._keep_going = request.keep_going
        self.first: FirstDifference | None = None
        self.stopped = False

    def wants_step(self, fit: int, step: int, epochs: int) -> bool:
        """Tell whether to digest after this step: the original was, or it was ordered.

        Args:
            fit: number of the ``fit`` call.
            step: of this ``fit``.
            epochs: how many of this ``fit`` are complete.
        """
        ordered, after = self._steps_of
        if fit == ordered and epochs >= after:
            return True
        return self._had_step(fit, step)

    def wants_steps(self, fit: int) -> bool:
        """Tell whether there is any such step of a fit beside its first."""
        plan = self._planned.get(fit)
        return fit == self._steps_of[0] or bool(plan and (plan.every or plan.chosen))

    def _had_step(self, fit: int, step: int) -> bool:
        """Tell whether the original was digested after this step, between its epochs' ends."""
        plan = self._planned.get(fit)
        if plan is None:
            return (fit, step) in self._steps
        at_once = max(1, plan.steps_at_once)
        return is_due(step, plan.every, plan.chosen, at_once)

    def check(self, weights: Weights, shapes: Sequence[Shape]) -> None:
        """Compare one moment.

        Raises:
            RerunStopped: it differs, nothing is left to compare, or it was not to train.
        """
        if self._limit.before(weights) and weights.moment in ("step", "epoch"):
            self._refuse_to_train(weights.fit)
        if self._limit.leaves_out(weights.fit):
            return
        difference = self._reference.check(weights, shapes)
        if difference and self.first is None:
            self.first = difference
            say(f"differs from the original at {difference.what}")
            if not self._keep_going:
                self._stop()
        if self._enough(weights):
            say(f"compared up to {moment_name(weights)}; the rerun stops here")
            self._stop()

    def _refuse_to_train(self, fit: int) -> NoReturn:
        """End what trains although it was to be passed over: a part was asked for, and its cost."""
        say(f"fit {fit} was to go on from its checkpoint and did not; the rerun stops here")
        self.stopped = True
        raise RerunStopped(1)

    def _enough(self, weights: Weights) -> bool:
        limit = self._limit
        if weights.fit < limit.fit:
            return False
        reached_epoch = weights.moment == "epoch" and weights.epoch == limit.epoch
        reached_step = limit.step is not None and weights.step >= limit.step
        return reached_epoch or reached_step or self._reference.exhausted_by(weights)

    def _stop(self) -> None:
        self.stopped = True
        raise RerunStopped(0)
