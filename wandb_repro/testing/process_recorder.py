"""The record of a fresh process: a trail and a small manifest, without a W&B run."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.framework import probe_framework
from wandb_repro.capture.machine.gpu import probe_accelerator
from wandb_repro.capture.machine.model_config import probe_settings
from wandb_repro.capture.machine.runtime import probe_runtime
from wandb_repro.capture.weights import Variable
from wandb_repro.files import write_atomically
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Description, Ending, Execution, Manifest, RunIdentity
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.manifest.training import FitSettings
from wandb_repro.recording.live_compare import LiveComparison, RerunStopped
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Point
from wandb_repro.state.whole_state import note_digested
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.testing.fresh_task import Task
from wandb_repro.version import __version__

_NOT_ASKED = Unavailable(unavailable="an assertion of wandb_repro.testing does not record it")
_MOST_FITS = 20
"""Fits whose settings are recorded."""

_NONE = Unavailable(unavailable="nothing was trained")


class ProcessRecorder(TrailRecorder):
    """Records one training in this process: a trail, and a small manifest at the end.

    Args:
        task: what to train, where the record goes and when to stop.
        seeding: the seeding of this process.
    """

    def __init__(self, task: Task, seeding: Seeding) -> None:
        self._task = task
        self._seeding = seeding
        self._host = Host()
        self._capsule = Capsule(Path(task.folder))
        self._description: Description | None = None
        self._settings: list[FitSettings] = []
        self._trained: dict[int, object] = {}
        """Models of open fits."""
        super().__init__(self._capsule.trail, _live(task), steps=1)

    def begin_fit(self, model: object = None, arguments: Mapping[str, object] | None = None) -> int:
        """Open the next fit; record its settings and the process's environment."""
        fit = super().begin_fit(model, arguments)
        self._trained[fit] = model
        settings = guarded(
            lambda: probe_settings(self._host, model, arguments or {}, fit), "the model"
        )
        if isinstance(settings, FitSettings) and len(self._settings) < _MOST_FITS:
            self._settings.append(settings)
        if self._description is None:
            self._description = self._described(model)
        return fit

    def weights(self, point: Point, variables: Iterable[Variable]) -> None:
        """Digest the weights, then end the training if the task ends at this step.

        Raises:
            RerunStopped: the steps of the task are complete.
        """
        super().weights(point, variables)
        if point.moment == "final":
            note_digested(
                process.registry, [getattr(self._trained.pop(point.fit, None), "optimizer", None)]
            )
        if self._task.kill_after is not None and point.step >= self._task.kill_after:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._task.steps is not None and point.step >= self._task.steps:
            raise RerunStopped(0)

    def end(self, status: Literal["finished", "interrupted", "failed"]) -> None:
        """Write the end record and the manifest."""
        super().end(status)
        write_atomically(self._capsule.manifest, self._manifest(status).to_bytes())

    def _described(self, model: object) -> Description:
        framework = guarded(lambda: probe_framework(self._host, model), "framework")
        guarded(self._seeding.look_again, "the script's own seeds")
        return Description(
            machine=_NOT_ASKED,
            runtime=guarded(lambda: probe_runtime(self._host, framework), "runtime"),
            accelerator=guarded(lambda: probe_accelerator(self._host), "accelerator"),
            seeds=guarded(self._seeding.seeds, "seeds"),
            determinism=guarded(self._seeding.determinism, "determinism"),
            config=_NOT_ASKED,
            data=tuple(measured.dataset for measured in process.pending) or _NOT_ASKED,
            inputs=_NOT_ASKED,
        )

    def _with_fits(self, description: Description) -> Description:
        fits = tuple(self._settings)
        return description.model_copy(update={"fits": fits}) if fits else description

    def _manifest(self, status: Literal["finished", "interrupted", "failed"]) -> Manifest:
        nothing = dict.fromkeys(("name", "entity", "project", "url", "job_type", "group"), _NONE)
        return Manifest(
            recorded_by=f"wandb_repro {__version__}",
            recorded_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            run=RunIdentity(id=self._task.who, offline=True, rerun_of=_NONE, **nothing),
            execution=Execution(
                command=_NOT_ASKED,
                code=_NOT_ASKED,
                packages=_NOT_ASKED,
                seed=_NOT_ASKED,
                deterministic=None,
                config=_NOT_ASKED,
            ),
            description=self._with_fits(self._description or self._described(None)),
            ending=Ending(status=status),
        )


def _live(task: Task) -> LiveComparison | None:
    """Return what stops this process at its first difference; None if nothing is compared."""
    if not task.original:
        return None
    request = RerunRequest(
        capsule=task.original,
        original="",
        code_root="",
        whereabouts="",
        keep_going=False,
        until_epoch=None,
        until_step=task.steps,
        allow_outputs=False,
    )
    return LiveComparison(request, read_trail(Capsule(Path(task.original))))
