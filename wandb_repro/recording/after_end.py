"""Training after the run has ended and with no other open: named in the record that was closed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from wandb_repro.manifest.trail_records import Outside
from wandb_repro.recording.children.step_hooks import LIBRARIES, hook_steps
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.process_state import process
from wandb_repro.store.local import append_after_end

_WHAT = (
    "the script trained after the run had ended: call wandb.finish() behind the last training, "
    "or start a run for it"
)


@harmless("training after the run's end")
def watch_after_end(trail: Path, *, online: bool) -> None:
    """Notice training from now on, unless another run is open.

    Args:
        trail: file of the trail of the run that ended.
        online: whether W&B has uploaded that trail already.
    """
    if all(session.ended for session in process.sessions.values()):
        stop_watching()
        process.after_end = AfterEnd(trail, online=online)


@harmless("training after the run's end")
def stop_watching() -> None:
    """Notice nothing more: a run has started."""
    after, process.after_end = process.after_end, None
    if after is not None:
        after.end()


class AfterEnd:
    """Notices training from now on, until a run starts; writes it into a trail, once.

    Args:
        trail: file of the trail of the run that ended.
        online: whether W&B has uploaded that trail already.
    """

    def __init__(self, trail: Path, *, online: bool) -> None:
        self._trail = trail
        self._online = online
        self._owner = os.getpid()
        self._undo: list[Callable[[], object]] = []
        self._is_over = False
        process.note_training = self.note
        for name in LIBRARIES:
            after_import(name, self._hook)

    def _hook(self, library: ModuleType) -> None:
        if not self._is_over:
            self._undo.append(hook_steps(library, self.note))

    @harmless("training after the run's end")
    def note(self) -> None:
        """Write that something trained; once, and not in a forked process."""
        if self._is_over or os.getpid() != self._owner:
            return
        self.end()
        append_after_end(self._trail, Outside(what=_WHAT))
        where = f"; noted in {self._trail.parent}, and not on W&B" if self._online else ""
        warn_once(f"not recorded: {_WHAT}{where}")

    def end(self) -> None:
        """Notice nothing more."""
        self._is_over = True
        undo, self._undo = self._undo, []
        for each in undo:
            each()
        if process.note_training == self.note:
            process.note_training = None
