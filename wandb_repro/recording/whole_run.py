"""Records what no fit sees: every logged row, and the state of everything that can be trained."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping, Set
from typing import Any, Literal, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Inventory, Summary, owner_of
from wandb_repro.recording.children.child_training import ChildTraining
from wandb_repro.recording.history import Rows
from wandb_repro.recording.logged_values import flattened
from wandb_repro.recording.process_state import process
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.wandb_run import Run
from wandb_repro.state.functional import state_in_no_variable
from wandb_repro.state.registry import Registry
from wandb_repro.state.thread_order import OTHER, OWN, ThreadPlace
from wandb_repro.state.whole_state import WholeState, read_whole_state

_OURS = "repro/"
"""Begins the names that this package writes into a summary."""


class WholeRun:
    """The history of one run and the state of all that it trains, in the trail.

    Args:
        recorder: writes the trail, and in a rerun compares it.
        is_training: tells whether a ``fit`` or a watched loop is open. Then its own digests cover
            the weights, and reading them from another thread could read a half-made step.
        step: W&B's step of the next row; None if it is not known.
    """

    def __init__(
        self, recorder: TrailRecorder, is_training: Callable[[], bool], step: int | None = None
    ) -> None:
        self._recorder = recorder
        self._children = ChildTraining()
        self._is_training = is_training
        self._rows = Rows(step)
        self._lock = threading.RLock()
        self._rows_outside = 0
        """Rows committed while nothing else digested the weights."""
        self._fits_ended = 0
        self._in_threads = False
        """Whether any fit began in another thread than the one that began the run."""

    @property
    def registry(self) -> Registry:
        """What this process made."""
        return process.registry

    def log(self, data: Mapping[str, object], step: int | None, commit: bool | None) -> None:
        """Take the arguments of ``run.log``; keep each committed row to the last bit.

        Raises:
            RerunStopped: in a rerun, if the state differs from the original's.
        """
        with self._lock:
            before = self._rows.committed
            for record in self._rows.log(data, step, commit):
                self._recorder.append(record)
            new = self._rows.committed - before
            if not new or self._is_training():
                return
            self._rows_outside += new
            # Powers of two: the cost vanishes, and a rerun has the same places.
            if self._rows_outside & (self._rows_outside - 1) == 0:
                self._write_rows()
                self._digest("logged")

    def begin_training(self, own: Set[str]) -> None:
        """Digest what exists before the first fit.

        Args:
            own: what the fit trains, such as ``model 1``: its own digests cover that.
        """
        self._digest_beside(own, fits=0)

    def begin_fit(self) -> None:
        """Note in which thread a fit begins."""
        self._in_threads = self._in_threads or self._thread() != OWN

    def end_fit(self, own: Set[str]) -> None:
        """Digest what exists when a fit ended, for a difference in what that fit did not train."""
        with self._lock:
            self._fits_ended += 1
            if not self._is_training():
                self._digest_beside(own, fits=self._fits_ended)

    def _thread(self) -> ThreadPlace:
        return self.registry.threads.current()

    def _digest_beside(self, own: Set[str], fits: int) -> None:
        if self._in_threads:  # which of their fits ended before this moment is a race
            return
        with self._lock, unrecorded():
            variables = read_whole_state(self.registry, (OWN,)).variables
            if any(owner_of(variable.label) not in own for variable in variables):
                self._write_rows()
                self._recorder.state("fit", self._rows.committed, variables, fits=fits)

    def _write_rows(self) -> None:
        for record in self._rows.taken():
            self._recorder.append(record)

    def end(self, run: Run) -> None:
        """Write the last rows, the state of everything at the end, and the run's summary."""
        with self._lock:
            for record in self._rows.finish():
                self._recorder.append(record)
            # Deleted models are often in reference cycles; whether they still exist must not
            # depend on when the collector ran last.
            gc.collect()
            state = self._digest("end")
            known = self.registry
            unknown = state_in_no_variable(known, state.things)
            notes = (*known.unwatched, *known.notes, *unknown, *self._children.notes())
            inventory = Inventory(things=tuple(state.things), notes=notes)
            summary = summary_of(run)
            if inventory.things or inventory.notes:
                self._recorder.append(inventory)
            if summary.values:
                self._recorder.append(summary)

    def _digest(self, moment: Literal["logged", "end"]) -> WholeState:
        with unrecorded():
            # Until the end, other threads may be changing what they made.
            made_by = None if moment == "end" else {OWN, self._thread()} - {OTHER}
            state = read_whole_state(self.registry, made_by)
            if state.variables:
                self._recorder.state(moment, self._rows.committed, state.variables)
        return state


def summary_of(run: Run) -> Summary:
    """Return a run's summary, without W&B's own values and ours."""
    # ``_as_dict`` asks W&B's process once; reading each key asks it every time (wandb 0.31).
    values = guarded(
        lambda: cast("Any", run.summary)._as_dict(), "the summary", expects=(AttributeError,)
    )
    if isinstance(values, Unavailable):
        return Summary(values={})
    own = {name: value for name, value in values.items() if _is_scripts(str(name))}
    return Summary(
        values={
            name: value if isinstance(value, str) else float(value).hex()
            for name, value in flattened(own)
        }
    )


def _is_scripts(name: str) -> bool:
    return not name.startswith(("_", _OURS))
