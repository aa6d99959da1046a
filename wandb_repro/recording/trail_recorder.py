"""Writes the trail, and compares it with the original's while a rerun trains."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wandb_repro.capture.array_numbers import ALGORITHM, numbers_of
from wandb_repro.capture.weights import Variable
from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM, leaf_digests, root_digest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.leaf_positions import places_in
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_records import (
    SHORT,
    Checkpoint,
    End,
    Granularity,
    Losses,
    Missing,
    Moment,
    Numbers,
    Resumed,
    Seen,
    Shape,
    Start,
    Step,
    Structure,
    TrailRecord,
    Weights,
)
from wandb_repro.recording.live_compare import LiveComparison
from wandb_repro.store.local import TrailWriter

if TYPE_CHECKING:
    from wandb_repro.recording.trail_sink import TrailSink


@dataclass
class _Fit:
    """What is known of one ``fit``: its variables, and their digests as last written."""

    kinds: Sequence[object] = ()
    shapes: tuple[Shape, ...] = ()
    leaves: list[str] = field(default_factory=list[str])
    root: str = ""


class TrailRecorder:
    """The trail of one run, written to a file.

    Args:
        path: of the file; it is made anew.
        live: the original's trail, in a rerun.
        steps: after which steps a callback digests unless it was given its own.

    Raises:
        OSError: from each method, when the trail cannot be written.
        RerunStopped: from ``weights``, in a rerun that has seen enough.
    """

    def __init__(
        self,
        path: Path,
        live: LiveComparison | None = None,
        *,
        steps: int | Sequence[int] | None = None,
    ) -> None:
        self._live = live
        self._open: dict[int, _Fit] = {}
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
        self.fits += 1
        self._open[self.fits] = _Fit()
        return self.fits

    def end_fit(self, fit: int) -> None:
        """Close a fit and free its digests: about 1 kB a variable."""
        self._open.pop(fit, None)

    def wants_step(self, step: int, *, fit: int, epochs: int) -> bool:
        """Tell whether the original was digested after this step, or a bisection asks for it."""
        return self._live is not None and self._live.wants_step(fit, step, epochs)

    def wants_steps(self, fit: int) -> bool:
        """Tell whether ``wants_step`` may be true for any step of this fit."""
        return self._live is not None and self._live.wants_steps(fit)

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
        """Digest the variables and write them down; on the disk at every epoch.

        Args:
            moment: which.
            variables: in the model's own order.
            epoch: epochs that were complete.
            step: steps of this fit that were complete.
            metrics: of the epoch, as ``float.hex`` writes them.
            fit: number of the fit; None for the last that began.
            before: root of the weights when this step began; of a step.
            data: root of the batches since the last record; of a step.
        """
        fit = fit or self.fits
        found = list(variables)
        if not found:
            self.missing(moment, "the model has no variables", epoch=epoch, step=step, fit=fit)
            return
        state = self._state(fit, found)
        known = state.root
        leaves = leaf_digests([variable.value for variable in found])
        root = _root(found, leaves)
        if moment == "step":
            whole = Digested.model_construct(
                fit=fit,
                moment=moment,
                epoch=epoch,
                step=step,
                root=root,
                leaves=tuple(leaves),
                metrics={},
                before=None if before == known else before,
                data=data,
            )
            self.append(_short(whole, state.leaves))
        else:
            whole = Weights(
                fit=fit,
                moment=moment,
                epoch=epoch,
                step=step,
                root=root,
                leaves=tuple(leaves),
                metrics=dict(metrics),
            )
            self.append(whole, sync=True)
            if moment == "initial" or root != known or moment == "epoch":
                self.append(_numbers(whole, found))
        state.leaves, state.root = leaves, root
        self.last_root = root
        if self._live is not None:
            self._live.check(whole, state.shapes)

    def root_now(self, variables: Sequence[Variable]) -> str:
        """Return the root of variables, and write nothing."""
        return _root(variables, leaf_digests([variable.value for variable in variables]))

    def _state(self, fit: int, variables: list[Variable]) -> _Fit:
        """Return what is known of a fit; a structure is written where it has another one."""
        kinds = [(group, label, value.dtype, value.shape) for group, label, value in variables]
        state = self._open.get(fit)
        if state is None or state.kinds != kinds:
            shapes = tuple(_shape(variable) for variable in variables)
            self.append(Structure(fit=fit, leaves=shapes))
            state = _Fit(kinds, shapes)
            if fit in self._open:  # one that has ended would stay in memory
                self._open[fit] = state
        return state

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
        """Write down loss and metrics after each step, all their bits."""
        bits = {
            name: struct.pack(f">{len(column)}d", *column).hex() for name, column in values.items()
        }
        self.append(Losses(fit=fit, epoch=epoch, first=first, every=every, last=last, bits=bits))

    def seen(
        self, batches: tuple[str, ...] | Unavailable, rows: tuple[str, ...], *, epoch: int, fit: int
    ) -> None:
        """Write down what the first batches of an epoch were."""
        self.append(Seen(fit=fit, epoch=epoch, batches=batches, rows=rows))

    def granularity(self, record: Granularity) -> None:
        """Write down what the records of a fit can show."""
        self.append(record)

    def missing(
        self, moment: Moment, reason: str, *, epoch: int, step: int, fit: int | None = None
    ) -> None:
        """Write down why this moment has no digest."""
        fit = fit or self.fits
        self.append(Missing(fit=fit, moment=moment, epoch=epoch, step=step, reason=reason))

    def checkpoint(self, record: Checkpoint | Resumed) -> None:
        """Write a checkpoint, or that the training resumed from one; on the disk at once."""
        self.append(record, sync=True)

    def end(self, status: Literal["finished", "interrupted", "failed"]) -> None:
        """Write the end record and close the trail."""
        self.ended = True
        self.append(End(status=status, fits=self.fits), sync=True)
        self._writer.close()


def _shape(variable: Variable) -> Shape:
    group, label, value = variable
    return Shape(group=group, label=label, dtype=str(value.dtype.name), shape=tuple(value.shape))


def _root(variables: Sequence[Variable], leaves: Sequence[str]) -> str:
    groups = (variable.group for variable in variables)
    return root_digest(zip(groups, leaves, strict=True))


def _short(whole: Digested, known: Sequence[str]) -> Step:
    """Return the record of a step: what is as it was in the record before is left out."""
    places = [
        place
        for place, leaf in enumerate(whole.leaves)
        if place >= len(known) or known[place] != leaf
    ]
    return Step.model_construct(
        fit=whole.fit,
        epoch=whole.epoch,
        step=whole.step,
        root=whole.root,
        changed=places_in(places),
        leaves="".join(whole.leaves[place][:SHORT] for place in places),
        before=whole.before,
        data=whole.data,
    )


def _numbers(weights: Weights, variables: Sequence[Variable]) -> Numbers:
    found = [numbers_of(variable.value) for variable in variables]

    def column(values: Iterable[float]) -> str:
        listed = list(values)
        return struct.pack(f">{len(listed)}d", *listed).hex()

    columns: dict[str, Any] = {
        name: column(getattr(one, name) for one in found) for name in ("norm", "low", "high")
    }
    return Numbers(
        fit=weights.fit,
        moment=weights.moment,
        epoch=weights.epoch,
        step=weights.step,
        algorithm=ALGORITHM,
        sketch=column(number for one in found for number in one.sketch),
        non_finite=tuple(one.non_finite for one in found),
        **columns,
    )


if TYPE_CHECKING:
    _: type[TrailSink] = TrailRecorder
