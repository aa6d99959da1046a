"""Decides what is digested and written while a fit runs, and when; does not use Keras."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

from wandb_repro.capture.weights import Variable
from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import (
    Checkpoint,
    Granularity,
    Losses,
    Missing,
    Moment,
    Resumed,
    Seen,
    is_due,
)
from wandb_repro.recording.fit.batches import FIRST, Batches, FirstBatches
from wandb_repro.recording.fit.losses import LossBuffer, exact
from wandb_repro.recording.messages import attempt
from wandb_repro.recording.trail_sink import Point, TrailSink
from wandb_repro.state.whole_state import FOREIGN_ERRORS

UNBUILT = (
    "the model was not built when training began: it gets its weights inside the first step, "
    "whose digest replaces the initial one; give it an Input layer to have both"
)
_ONLY_TRAINING = "no callback of this fit can change the weights between steps"
_COMPARED = "the weights are digested again when the step after each record begins"
_LATER_SMALL_FIT = Unavailable(unavailable="a small fit after its model's 100th")
_NO_DIGEST = Unavailable(unavailable="not digested")
_SMALL = 32
"""Most steps of a small fit. Digesting a larger one costs less than training it."""
_NOT_ASKED = Unavailable(unavailable="digests of steps were not requested")


class RunningFit(Protocol):
    """The running fit, or a loop of one's own, as far as a recorder needs it."""

    @property
    def model(self) -> object:
        """The model that trains."""
        ...

    @property
    def arguments(self) -> Mapping[str, object]:
        """Local variables of ``fit``; empty if they are unknown."""
        ...

    @property
    def steps_at_once(self) -> int:
        """Optimizer steps between two calls of a callback: ``steps_per_execution``."""
        ...

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps in an epoch; None while unknown."""
        ...

    @property
    def losses(self) -> str:
        """What the values of a step are, in words."""
        ...

    def missing_initial(self) -> str:
        """Return why the initial weights cannot be read; empty if they can."""
        ...

    def changes_between_steps(self) -> bool | Unavailable:
        """Whether another callback may change the weights while no step runs, if known."""
        ...

    def batches_in(self, steps: int) -> int:
        """Return how many batches the model was trained on in the steps that just ended."""
        ...

    def watch(
        self, take: Callable[[int, tuple[Any, ...] | Unavailable], None], at_most: int | None = None
    ) -> Unavailable | None:
        """Show each batch to ``take`` on its way to the model; return the reason if impossible.

        ``take`` gets the batch's number since its iterator began, and its arrays. Only the first
        ``at_most`` batches of each iterator are shown; None shows all.
        """
        ...

    def read(self, *, anew: bool) -> Iterable[Variable]:
        """Yield the variables as they are when the iteration begins.

        With ``anew``, first search the model for variables, which takes longer than reading.
        """
        ...


class FitRecorder:
    """Records one fit or loop: turns its events into calls of a sink.

    Steps are counted both when they begin and when they end. When a batch begins, all earlier
    batches have ended, on every backend. The end of a batch may be reported by another thread while
    the next step already runs, when weights cannot be read.

    Args:
        sink: gets the records.
        fit: the running fit.
        steps: digest after every N steps, or after these; None takes the sink's ``steps``.
    """

    def __init__(
        self, sink: TrailSink, fit: RunningFit, steps: int | tuple[int, ...] | None = None
    ) -> None:
        self._sink = sink
        self._fit = fit
        self._asked = steps
        self.number = 0
        """Number of the fit in the trail, from 1; 0 before ``begin``."""
        self.steps = 0
        """Complete steps of this fit, including those before it was resumed."""
        self._epoch = 0
        self._in_epoch = 0
        self._last_digest = -1
        """Number of complete steps at the last digest; -1 before the first."""
        self._last_step_ended = False
        self._new_epoch = True
        self._written_batches = 0
        self._losses = LossBuffer(1)
        self._batches: Batches | None = None
        self._first: FirstBatches | None = None
        self._queues = tuple[Batches | FirstBatches, ...]()
        """Those of the two that get the batches of this fit."""
        self._granularity: Granularity | None = None
        self._every, self._chosen = 0, tuple[int, ...]()
        self._wants_steps = False
        self._steps_at_once = 1
        self._reads_twice = False
        self._digests = True
        self._root_before: str | None = None
        self._thread = threading.get_ident()

    def begin(self) -> None:
        """Open the fit in the sink, and digest the initial weights."""
        self.number = self._sink.begin_fit(self._fit.model, self._fit.arguments)
        self._steps_at_once = self._fit.steps_at_once
        self._losses = LossBuffer(self._steps_at_once)
        if not self._is_digested():
            self._digests = False
            self._write_plan(_NO_DIGEST, _NO_DIGEST, _NO_DIGEST, digests=_LATER_SMALL_FIT)
            return
        self._plan()
        missing = self._fit.missing_initial()
        if missing:
            self._write_missing(Point("initial", self.number, 0, 0), missing)
        else:
            self._digest("initial")

    def _is_digested(self) -> bool:
        """Tell whether this fit is digested: not each of thousands of small ones is."""
        asked = self._asked is not None or self._sink.steps is not None
        if asked or not self._is_small() or self._sink.wants_steps(self.number):
            return True
        return self._sink.digests_fit(self.number)

    def _is_small(self) -> bool:
        steps, arguments = self._fit.steps_per_epoch, self._fit.arguments
        epochs, initial = arguments.get("epochs"), arguments.get("initial_epoch", 0)
        if steps is None or not isinstance(epochs, int) or not isinstance(initial, int):
            return False
        return steps * (epochs - initial) <= _SMALL

    def _plan(self) -> None:
        """Decide after which steps to digest, and write the plan."""
        steps = self._asked if self._asked is not None else self._sink.steps
        if isinstance(steps, int):
            self._every = steps
        elif steps is not None:
            self._chosen = tuple(sorted(steps))
        first = FirstBatches()
        no_first = self._fit.watch(first.take, FIRST)
        self._first = first if no_first is None else None
        batches, no_batches, before = Batches(), _NOT_ASKED, _NOT_ASKED
        self._wants_steps = self._sink.wants_steps(self.number)
        if self._every or self._chosen or self._wants_steps:
            no_batches = self._fit.watch(batches.take)
            self._batches = batches if no_batches is None else None
            changes = self._fit.changes_between_steps()
            self._reads_twice = changes is True
            before = _COMPARED if self._reads_twice else _ONLY_TRAINING
            before = changes if isinstance(changes, Unavailable) else before
        self._queues = tuple(queue for queue in (self._batches, self._first) if queue is not None)
        self._write_plan(before, no_batches or batches.covers, no_first or first.covers)

    def _write_plan(
        self,
        before: str | Unavailable,
        data: str | Unavailable,
        first: str | Unavailable,
        **more: Any,
    ) -> None:
        self._granularity = Granularity(
            fit=self.number,
            every=self._every,
            chosen=self._chosen,
            steps_at_once=self._steps_at_once,
            losses=self._fit.losses,
            before=before,
            data=data,
            first=first,
            **more,
        )
        self._sink.write(self._granularity)

    def epoch_began(self, epoch: int) -> None:
        """Start counting the steps of the next epoch; ``epoch`` epochs are complete."""
        self._epoch = epoch
        self._in_epoch = 0
        self._last_step_ended = False
        self._new_epoch = True
        self._written_batches = 0
        self._losses.begin_epoch()
        for queue in self._queues:
            queue.begin_epoch()

    def batch_began(self, batch: int) -> None:
        """Digest the weights after the previous step, if due. May be called twice for one batch.

        Batches count from 0 in each epoch.
        """
        self._count(batch)
        self._last_step_ended = False
        if self._losses.ready():
            self._write_losses()

    def batch_ended(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Keep loss and metrics of a step; may be called from any thread."""
        self._losses.take(batch, logs)

    def step_ended(self, batch: int) -> None:
        """Digest the weights after a step, if this is the thread that trains: no step runs then."""
        if threading.get_ident() == self._thread:
            steps = self._fit.steps_per_epoch
            self._count(batch + 1 if steps is None else min(batch + 1, steps))
            self._last_step_ended = True

    def step_done(self, values: Mapping[str, Any]) -> None:
        """Take a step of a loop, which tells at once that the step is over, and its values.

        Args:
            values: by name, as ``scalars.keep`` returned them.
        """
        self._losses.keep(self._in_epoch, values)
        self._advance(1)
        self._in_epoch += 1
        self._last_step_ended = True
        if self._losses.ready():
            self._write_losses()

    def all_acted(self) -> None:
        """Digest the weights again before a step, after every other callback."""
        if self._reads_twice and self._last_digest == self.steps:
            self._root_before = self._sink.root_now(list(self._fit.read(anew=False)))

    def epoch_ended(self, epoch: int, logs: Mapping[str, Any]) -> None:
        """Digest the weights, with loss and metrics of an epoch; epochs count from 0."""
        self._count(self._in_epoch + self._rest_of_epoch())
        if not self._digests:
            self._losses.add_to_last(self._in_epoch, logs)
        self._write_losses(self._in_epoch)
        self._write_first_batches()
        self._epoch = epoch + 1
        self._digest("epoch", exact(logs))

    def end(self, *, complete: bool = True) -> None:
        """Digest the final weights, unless an exception ended the training; close the fit."""
        try:
            self._write_losses()
            self._write_first_batches()
            if complete:
                self._digest("final")
        finally:
            self._sink.end_fit(self.number)

    def resume(self, record: Resumed) -> None:
        """Continue to count from a checkpoint whose state was restored."""
        self._epoch, self.steps = record.epoch, record.step
        # Already digested at the end of the epoch, as in a training that was never stopped.
        self._last_digest = record.step
        self.note_checkpoint(record)

    def resume_at(self, step: int, batch: int) -> None:
        """Continue to count from the optimizer's step and this batch; digest the weights."""
        self.steps = max(self.steps, step)
        self._in_epoch = batch
        self._digest("step")

    def skip_batches(self, batches: int) -> None:
        """Ignore the next batches: the model was trained on them before it was stopped."""
        for queue in self._queues:
            queue.skip(batches)

    def note_checkpoint(self, record: Checkpoint | Resumed) -> None:
        """Write the record of a checkpoint, under the number of this fit."""
        self._sink.write(record.model_copy(update={"fit": self.number}))

    def _count(self, steps: int) -> None:
        """Note how many steps of this epoch are complete."""
        if steps > self._in_epoch:
            self._advance(steps - self._in_epoch)
            self._in_epoch = steps

    def _advance(self, steps: int) -> None:
        self.steps += steps
        batches = self._fit.batches_in(steps)
        if batches:
            for queue in self._queues:
                queue.trained(batches)
        if self._in_epoch == 0:
            self._write_first_batches()  # before the weights are compared: batches may be the cause
        if self.steps != self._last_digest and (self._last_digest <= 0 or self._is_due(steps)):
            self._digest("step")

    def _is_due(self, steps: int) -> bool:
        """Tell whether to digest after the last of these many steps."""
        if (self._every or self._chosen) and is_due(self.steps, self._every, self._chosen, steps):
            return True
        return self._wants_steps and self._sink.wants_step(
            self.steps, fit=self.number, epochs=self._epoch
        )

    def _rest_of_epoch(self) -> int:
        """Return how many steps ended since the last batch began."""
        # NOTE: with a pipeline of unknown length, Keras begins one more batch than there is, and
        # counts it as a step of the optimizer too. So do we.
        if self._last_step_ended:
            return 0
        steps = self._fit.steps_per_epoch
        rest = steps - self._in_epoch if steps is not None else self._steps_at_once
        return rest if 0 <= rest <= self._steps_at_once else self._steps_at_once

    def _write_first_batches(self) -> None:
        """Write the epoch's first batches, if there are more than already written."""
        if self._first is not None and self._first.passed > self._written_batches:
            self._written_batches = self._first.passed
            batches, rows = self._first.so_far()
            self._sink.write(Seen(fit=self.number, epoch=self._epoch, batches=batches, rows=rows))

    def _write_losses(self, steps: int | None = None) -> None:
        before_epoch = self.steps - self._in_epoch
        for run in self._losses.taken(steps):
            losses = Losses(
                fit=self.number,
                epoch=self._epoch,
                first=before_epoch + run.first,
                every=self._steps_at_once,
                last=before_epoch + run.last,
                bits=run.bits(),
            )
            self._sink.write(losses)

    def _digest(self, moment: Moment, metrics: Mapping[str, str] | None = None) -> None:
        if not self._digests:
            return
        before = data = None
        anew = True
        if moment == "step":
            # Searching the model takes longest, so only at the first record of each epoch.
            anew = self._last_digest <= 0 or self._new_epoch
            before, data = self._root_before, self._root_of_batches()
            self._root_before = None
        self._new_epoch = False
        self._last_digest = self.steps
        point = Point(
            moment, self.number, self._epoch, self.steps, metrics or {}, before=before, data=data
        )
        # A moment that is not in the trail, without a reason, would look as if nobody had asked.
        variables = attempt(
            lambda: list(self._fit.read(anew=anew)), "the weights", expects=FOREIGN_ERRORS
        )
        if isinstance(variables, Unavailable):
            self._write_missing(point, str(variables))
        else:
            self._sink.weights(point, variables)

    def _write_missing(self, point: Point, reason: str) -> None:
        self._sink.write(Missing(**point.place(), reason=reason))

    def _root_of_batches(self) -> str | None:
        """Return the root of the batches since the last step record; write why it is missing."""
        root = self._batches.root() if self._batches is not None else None
        if not isinstance(root, Unavailable):
            return root
        plan = self._granularity
        if plan is not None and not isinstance(plan.data, Unavailable):
            self._granularity = plan.model_copy(update={"data": root})
            self._sink.write(self._granularity)
        return None


def checked_steps(steps: int | Collection[int] | None) -> int | tuple[int, ...] | None:
    """Return ``steps`` of a callback, sorted and without duplicates: ``(3, 20)`` for ``{20, 3}``.

    Raises:
        UsageError: a number is less than 1, or there are none.
    """
    if steps is None:
        return None
    chosen = (steps,) if isinstance(steps, int) else tuple(steps)
    if not chosen or any(step < 1 for step in chosen):
        given = steps if isinstance(steps, int) else list(chosen)
        raise UsageError(f"steps={given} is not a number of steps; give 1 or more.")
    return steps if isinstance(steps, int) else tuple(sorted(set(chosen)))
