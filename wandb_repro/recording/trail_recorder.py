"""Writes the trail; in a rerun, compares it with the original's."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wandb_repro.capture.array_numbers import ALGORITHM, numbers_of
from wandb_repro.capture.weights import Variable, root_of_variables
from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM, leaf_digests
from wandb_repro.manifest.leaf_positions import places_in
from wandb_repro.manifest.trail import Digested, of_run
from wandb_repro.manifest.trail_records import (
    SHORT,
    WHOLE_RUN,
    Checkpoint,
    End,
    Missing,
    Numbers,
    Resumed,
    Shape,
    Start,
    State,
    Step,
    Structure,
    TrailRecord,
    Weights,
)
from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.recording.trail_sink import Note, Point, TrailSink
from wandb_repro.store.local import TrailWriter


@dataclass
class _Fit:
    """One ``fit``: its variables, and their digests as last written."""

    kinds: Sequence[object] = ()
    shapes: tuple[Shape, ...] = ()
    leaves: list[str] = field(default_factory=list[str])
    root: str = ""


class TrailRecorder:
    """The trail of one run, written to a file.

    Args:
        path: of the file, which is replaced.
        live: compares with the original's trail, in a rerun.
        steps: after which steps a callback without its own ``steps`` digests.

    Raises:
        OSError: from each method, if the trail cannot be written.
        RerunStopped: from ``weights``, in a rerun with nothing left to compare.
    """

    def __init__(
        self,
        path: Path,
        live: LiveComparison | None = None,
        *,
        steps: int | Sequence[int] | None = None,
    ) -> None:
        self._live = live
        self._open: dict[int, _Fit] = {WHOLE_RUN: _Fit()}
        self._lock = threading.RLock()
        self.steps = steps
        self.fits = 0
        self.ended = False
        self.last_root = ""
        self._broken = False
        self._writer = TrailWriter(path)
        start = Start(leaf_algorithm=LEAF_ALGORITHM, root_algorithm=ROOT_ALGORITHM)
        self.append(start, sync=True)

    def append(self, record: TrailRecord, *, sync: bool = False) -> None:
        """Write a record; with ``sync`` it is on the disk when this returns."""
        with self._lock:  # two models may train in two threads
            if self._broken:
                return  # a trail with a hole would look as if someone had changed it
            try:
                self._writer.append(record, sync=sync)
            except OSError:
                self._broken = True
                raise

    def begin_fit(self, model: object = None, arguments: Mapping[str, object] | None = None) -> int:
        """Open the next fit and return its number."""
        del model, arguments
        return self.open_fit(self.fits + 1)

    def open_fit(self, number: int) -> int:
        """Open a fit that has this number, and return it."""
        self.fits += 1
        self._open[number] = _Fit()
        return number

    def end_fit(self, fit: int) -> None:
        """Close a fit and free its digests, about 1 kB per variable."""
        self._open.pop(fit, None)

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        """Tell whether the original was digested after this step, or a bisection requests it."""
        return self._live is not None and self._live.wants_step(fit, step, epochs)

    def wants_steps(self, fit: int) -> bool:
        """Tell whether ``wants_step`` may be true for any step of this fit."""
        return self._live is not None and self._live.wants_steps(fit)

    def digests_fit(self, fit: int) -> bool:
        """Tell whether the original was digested in this fit; True in an original."""
        return self._live is None or self._live.digests_fit(fit)

    def weights(self, point: Point, variables: Iterable[Variable]) -> None:
        """Digest the variables and write the digests; they are on the disk after each epoch."""
        with self._lock:
            self._weights(point, list(variables))

    def _weights(self, point: Point, found: list[Variable]) -> None:
        place = point.place()
        if not found:
            self.append(Missing(**place, reason="the model has no variables"))
            return
        state = self._state(point.fit, found)
        known = state.root
        leaves = leaf_digests([variable.value for variable in found])
        root = root_of_variables(found, leaves)
        if point.moment == "step":
            weights = Digested.model_construct(
                **place,
                root=root,
                leaves=tuple(leaves),
                metrics={},
                before=None if point.before == known else point.before,
                data=point.data,
            )
            self.append(_short(weights, state.leaves))
        else:
            weights = Weights(**place, root=root, leaves=tuple(leaves), metrics=dict(point.metrics))
            self.append(weights, sync=True)
            if point.moment == "initial" or root != known or point.moment == "epoch":
                self.append(_numbers(weights, found))
        state.leaves, state.root = leaves, root
        self.last_root = root
        if self._live is not None:
            self._live.check(weights, state.shapes)

    def state(
        self,
        moment: Literal["fit", "logged", "end"],
        row: int,
        variables: list[Variable],
        *,
        fits: int = 0,
    ) -> None:
        """Digest everything that the run made, after this number of logged rows and of fits."""
        with self._lock:
            shapes = self._state(WHOLE_RUN, variables).shapes
            leaves = tuple(leaf_digests([variable.value for variable in variables]))
            root = root_of_variables(variables, leaves)
            state = State(moment=moment, row=row, fits=fits, root=root, leaves=leaves)
            self.append(state, sync=moment == "end")
            if self._live is not None:
                self._live.check(of_run(state), shapes)

    def root_now(self, variables: Sequence[Variable]) -> str:
        """Return the root of variables, and write nothing."""
        return root_of_variables(variables)

    def _state(self, fit: int, variables: list[Variable]) -> _Fit:
        """Return the state of a fit; if its variables are new or changed, write their structure."""
        kinds = [(group, label, value.dtype, value.shape) for group, label, value in variables]
        state = self._open.get(fit)
        if state is None or state.kinds != kinds:
            shapes = tuple(_shape(variable) for variable in variables)
            self.append(Structure(fit=fit, leaves=shapes))
            state = _Fit(kinds, shapes)
            if fit in self._open:  # a fit that has ended would stay in memory
                self._open[fit] = state
        return state

    def write(self, record: Note) -> None:
        """Write another record of a fit; a checkpoint is on the disk when this returns."""
        self.append(record, sync=isinstance(record, (Checkpoint, Resumed)))

    def end(self, status: Literal["finished", "interrupted", "failed"]) -> None:
        """Write the end record and close the trail."""
        self.ended = True
        self.append(End(status=status, fits=self.fits), sync=True)
        self._writer.close()


def _shape(variable: Variable) -> Shape:
    group, label, value = variable
    return Shape(group=group, label=label, dtype=str(value.dtype.name), shape=tuple(value.shape))


def _short(full: Digested, known: Sequence[str]) -> Step:
    """Return the record of a step, without the leaves that are as in the record before."""
    changed = [
        position
        for position, leaf in enumerate(full.leaves)
        if position >= len(known) or known[position] != leaf
    ]
    return Step.model_construct(
        fit=full.fit,
        epoch=full.epoch,
        step=full.step,
        root=full.root,
        changed=places_in(changed),
        leaves="".join(full.leaves[position][:SHORT] for position in changed),
        before=full.before,
        data=full.data,
    )


def _numbers(weights: Weights, variables: Sequence[Variable]) -> Numbers:
    found = [numbers_of(variable.value) for variable in variables]

    def column(values: Iterable[float]) -> str:
        listed = list(values)
        return struct.pack(f">{len(listed)}d", *listed).hex()

    columns: dict[str, Any] = {
        name: column(getattr(leaf, name) for leaf in found) for name in ("norm", "low", "high")
    }
    return Numbers(
        fit=weights.fit,
        moment=weights.moment,
        epoch=weights.epoch,
        step=weights.step,
        algorithm=ALGORITHM,
        sketch=column(number for leaf in found for number in leaf.sketch),
        non_finite=tuple(leaf.non_finite for leaf in found),
        **columns,
    )


if TYPE_CHECKING:
    _: type[TrailSink] = TrailRecorder
