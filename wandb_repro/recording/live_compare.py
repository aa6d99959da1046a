"""Compares each digest of a rerun with the original's as soon as it is computed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import NoReturn

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Granularity, Shape, Weights, is_due
from wandb_repro.recording.fits_in_threads import FitsInThreads
from wandb_repro.recording.messages import say
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.fit_pairs import numbered_by_model
from wandb_repro.verify.trail_diff import Reference
from wandb_repro.verify.weights_diff import FirstDifference, moment_name


class RerunStopped(SystemExit):
    """The rerun has nothing left to compare, so its process ends without training further."""

    # A SystemExit passes the script's ``except Exception`` and runs its ``finally`` blocks.


class LiveComparison:
    """Compares a rerun with the original's trail, and stops the rerun at a difference."""

    def __init__(self, request: RerunRequest, original: Trail) -> None:
        self._limit = Limit.of_request(request)
        self._reference = Reference(original, limit=self._limit)
        self._granularity = {record.fit: record for record in original.of(Granularity)}
        # Trails before version 1.1 do not say which steps are digested.
        self._steps = (
            set[tuple[int, int]]()
            if self._granularity
            else {(w.fit, w.step) for w in original.moments() if w.moment == "step"}
        )
        self._fits = {
            key: fit for fit, key in numbered_by_model(self._granularity.values()).items()
        }
        self._threads = FitsInThreads(self._granularity)
        self._requested_fit = request.steps_fit
        self._requested_after_epoch = request.steps_after_epoch
        self._keep_going = request.keep_going
        self._status = "finished"
        self._original_status = original.end.status if original.end else ""
        self.first: FirstDifference | None = None
        self.stopped = False

    def number_of_fit(self, thread: str, model: int, ordinal: int) -> int | None:
        """Return the original's number of the Nth fit of a model; None if it has none.

        Args:
            thread: with ``model``, the model as ``model_key`` returns it.
            model: number of the model in that thread.
            ordinal: which of its fits, from 1.
        """
        return self._fits.get((thread, model, ordinal))

    @property
    def reserved_fits(self) -> Set[int]:
        """Numbers of the original's fits whose models are known; none in trails before 1.3."""
        return frozenset(self._fits.values())

    def wants_step(self, fit: int, step: int, epochs: int) -> bool:
        """Tell whether to digest after this step: the original did, or the request includes it.

        The step counts from 1 in its fit; ``epochs`` of that fit are complete.
        """
        if fit == self._requested_fit and epochs >= self._requested_after_epoch:
            return True
        return self._original_has_step(fit, step)

    def wants_steps(self, fit: int) -> bool:
        """Tell whether any step of a fit other than its first is digested."""
        plan = self._granularity.get(fit)
        if fit == self._requested_fit:
            return True
        if plan is None:
            return any(of == fit for of, _ in self._steps)
        return bool(plan.every or plan.chosen)

    def digests_fit(self, fit: int) -> bool:
        """Tell whether the original's weights were digested in this fit."""
        plan = self._granularity.get(fit)
        if plan is None:
            return bool(self._steps)  # a trail before version 1.1
        return not isinstance(plan.digests, Unavailable)

    def _original_has_step(self, fit: int, step: int) -> bool:
        """Tell whether the original digested after this step."""
        plan = self._granularity.get(fit)
        if plan is None:
            return (fit, step) in self._steps
        return is_due(step, plan.every, plan.chosen, max(1, plan.steps_at_once))

    def check(self, weights: Weights, shapes: Sequence[Shape]) -> None:
        """Compare the weights at one moment, with the variables' shapes in the same order.

        Raises:
            RerunStopped: they differ, nothing is left to compare, or a fit that should resume from
                a checkpoint trains from its start.
        """
        if self._limit.before(weights) and weights.moment in ("step", "epoch"):
            # Continuing would take the time that --from-epoch is meant to save.
            say(f"fit {weights.fit} did not resume from its checkpoint; the rerun stops here")
            self._stop(exit_code=1)
        if self._limit.leaves_out(weights.fit) or not self._is_comparable(weights):
            return
        if self._threads.leaves_out(weights.fit, shapes):
            return
        difference = self._reference.check(weights, shapes)
        compared = difference is not None or self._reference.has(weights)
        if compared and not self._threads.decides(weights.fit, equal=difference is None):
            return
        if difference and self.first is None:
            self.first = difference
            say(f"differs from the original at {difference.what}")
            if not self._keep_going and weights.moment != "end":
                self._stop()
        if self._is_last(weights):
            say(f"compared up to {moment_name(weights)}; the rerun stops here")
            self._stop()

    def ends_with(self, status: str) -> None:
        """Note how the rerun ended, before its state at the end is compared."""
        self._status = status

    def _is_comparable(self, weights: Weights) -> bool:
        """Tell whether both runs have this moment; a run that failed ends somewhere else."""
        both = self._status, self._original_status
        return weights.moment != "end" or both == ("finished", "finished")

    def _is_last(self, weights: Weights) -> bool:
        limit = self._limit
        if weights.moment == "end":
            return False  # the process is ending already
        if weights.fit < limit.fit:
            return False
        reached_epoch = weights.moment == "epoch" and weights.epoch == limit.epoch
        reached_step = limit.step is not None and weights.step >= limit.step
        return reached_epoch or reached_step or self._reference.exhausted_by(weights)

    def _stop(self, exit_code: int = 0) -> NoReturn:
        self.stopped = True
        raise RerunStopped(exit_code)
