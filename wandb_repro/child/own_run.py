"""Records a script that starts no W&B run: in an offline run, started as late as possible.

It starts at the first ``fit``, or when the script ends. Until then the script may start one.
"""

from __future__ import annotations

import os
import threading
from types import ModuleType

from wandb_repro.recording.attach import active_run, options_of
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import say
from wandb_repro.recording.mode import current_mode
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import model_was_built
from wandb_repro.recording.start_run import arguments_of_own_run, started
from wandb_repro.recording.wandb_run import Run

FRAMEWORKS = ("keras", "tensorflow", "torch", "jax")
"""A script that imports none of them has no training that could be recorded."""


class OwnRun:
    """Starts a run for the script of this process if it starts none."""

    def __init__(self) -> None:
        self._environ = process.host.environ
        self._process_id = os.getpid()
        self._is_first = world_of(self._environ).rank == 0
        self._of_script: Run | None = None
        self._starting = threading.RLock()

    def stand_ready(self) -> None:
        """Start a run at the first ``fit``; read the source tree once a framework is imported.

        A user may edit the files while a long training goes on.
        """
        process.begin_own_run = self.begin
        for name in FRAMEWORKS:
            after_import(name, self._read_code)

    def note(self, run: Run) -> None:
        """Note a run that the script started."""
        self._of_script = run

    def _read_code(self, _: ModuleType) -> None:
        if process.ahead is None and self._is_wanted() and current_mode().snapshots_early:
            options = options_of()
            if options.code != "off":
                process.ahead = EarlySnapshot(process.host, options)

    def begin(self) -> None:
        """Start the run for a ``fit``, unless the script disabled W&B or has a run."""
        with self._starting:
            if self._is_wanted() and not self._disabled():
                ahead, process.ahead = process.ahead, None
                process.own_run = started(options_of(), arguments_of_own_run(), ahead)

    def _is_wanted(self) -> bool:
        """Tell whether no run is active, in the process and rank that are recorded."""
        return active_run() is None and self._is_recorded()

    def _is_recorded(self) -> bool:
        """Tell whether this is neither a forked child nor a further rank of a training."""
        return self._is_first and os.getpid() == self._process_id

    def _disabled(self) -> str:
        """Return what disables W&B; empty if nothing does."""
        if self._environ.get("WANDB_MODE") == "disabled":
            return "WANDB_MODE is disabled"
        if self._of_script is not None and self._of_script.disabled:
            return "the script disabled its W&B run"
        return ""

    def end(self, *, early: bool, error: BaseException | None = None) -> None:
        """Start the run of a script that ended without one, or say why nothing is recorded.

        Args:
            early: whether the script ended before its last line.
            error: the exception that ended it; None if none did.
        """
        if not self._is_recorded():
            return
        if not process.sessions:
            self._record_late(early=early, error=error)
        ahead, process.ahead = process.ahead, None
        if ahead is not None:
            ahead.close()

    def _record_late(self, *, early: bool, error: BaseException | None) -> None:
        from wandb_repro.recording.process_exit import note_stop  # slow, and rarely needed

        reason = self._disabled() or self._nothing_trained(early=early)
        if reason:
            if current_mode().rerun_of is None:
                say(f"nothing recorded: {reason}")
        elif self._of_script is None:
            self.begin()
            if error is not None and process.own_run is not None:
                note_stop(error)
                if not isinstance(error, SystemExit) or error.code:
                    process.own_run.finish(exit_code=1)  # W&B did not see how the script ended

    def _nothing_trained(self, *, early: bool) -> str:
        """Return why the script cannot have trained; empty if it can."""
        imported = [name for name in FRAMEWORKS if name in process.host.modules]
        if not imported:
            return (
                "the script imported neither Keras, TensorFlow, JAX nor PyTorch; "
                "call wandb_repro.init() in it to record it all the same"
            )
        is_keras_alone = "keras" in imported and not {"torch", "jax"}.intersection(imported)
        if early and is_keras_alone and not model_was_built():
            return "the script ended before it built a model"
        return ""
