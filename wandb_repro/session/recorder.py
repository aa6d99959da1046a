"""Writes the trail, and compares it with the original's while a rerun trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from wandb_repro.capture.weights import Variable, digest_variables, root_of
from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM
from wandb_repro.manifest.trail import (
    End,
    Missing,
    Moment,
    Shape,
    Start,
    Structure,
    TrailRecord,
    Weights,
)
from wandb_repro.session.live import Live
from wandb_repro.store.folder import TrailWriter

__all__ = ["Recorder"]


class Recorder:
    """The trail of one run.

    A write that fails is told once, by the OSError; what comes after it is not written, since a
    trail with a hole would look as if it had been changed.

    Raises:
        OSError: from each method, when the trail cannot be written.
        RerunStopped: from ``weights``, in a rerun that has seen enough.
    """

    def __init__(self, path: Path, live: Live | None) -> None:
        self._live = live
        self._shapes: tuple[Shape, ...] = ()
        self.fits = 0
        self.epochs = 0
        self.last_root = ""
        self._broken = False
        self._writer = TrailWriter(path)
        start = Start(leaf_algorithm=LEAF_ALGORITHM, root_algorithm=ROOT_ALGORITHM)
        self._append(start, sync=True)

    def _append(self, record: TrailRecord, *, sync: bool) -> None:
        if self._broken:
            return
        try:
            self._writer.append(record, sync=sync)
        except OSError:
            self._broken = True
            raise

    def begin_fit(self) -> None:
        """Number the next ``fit`` call."""
        self.fits += 1
        self.epochs = 0
        self._shapes = ()

    def weights(
        self,
        moment: Moment,
        variables: Iterable[Variable],
        *,
        epoch: int,
        step: int,
        metrics: Mapping[str, str],
    ) -> None:
        """Digest the variables and write them down; on the disk at every epoch."""
        leaves = digest_variables(variables)
        if not leaves:
            self.missing(moment, "the model has no variables", epoch=epoch, step=step)
            return
        shapes = tuple(
            Shape(group=leaf.group, label=leaf.label, dtype=leaf.dtype, shape=leaf.shape)
            for leaf in leaves
        )
        record = Weights(
            fit=self.fits,
            moment=moment,
            epoch=epoch,
            step=step,
            root=root_of(leaves),
            leaves=tuple(leaf.digest for leaf in leaves),
            metrics=dict(metrics),
        )
        self.last_root = record.root
        self.epochs = epoch if moment == "epoch" else self.epochs
        self._note_structure(shapes)
        self._append(record, sync=moment != "step")
        if self._live is not None:
            self._live.check(record, shapes)

    def _note_structure(self, shapes: tuple[Shape, ...]) -> None:
        if shapes != self._shapes:
            self._append(Structure(fit=self.fits, leaves=shapes), sync=False)
            self._shapes = shapes

    def missing(self, moment: Moment, reason: str, *, epoch: int, step: int) -> None:
        """Write down why this moment has no digest."""
        record = Missing(fit=self.fits, moment=moment, epoch=epoch, step=step, reason=reason)
        self._append(record, sync=False)

    def end(self, status: Literal["finished", "interrupted", "failed"]) -> None:
        """Write the end record and close the trail."""
        self._append(End(status=status, fits=self.fits), sync=True)
        self._writer.close()
