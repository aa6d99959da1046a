"""Passes each call of ``run.log`` to the session that records the run."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast

from wandb_repro.recording.process_state import process

_NAME = "_partial_history_callback"
_MARK = "wandb_repro_tapped"


def tap_logs() -> str:
    """See every row that is logged from now on; return why that is impossible, or nothing."""
    # ``wandb.log`` and bound methods are copied before a run is recorded, so the function below
    # all of them is wrapped. Source: wandb/sdk/wandb_run.py, Run._log, wandb 0.31.
    from wandb.sdk.wandb_run import Run

    kind: Any = Run
    log = getattr(kind, _NAME, None)
    if log is None:
        return f"this version of W&B has no Run.{_NAME}"
    if getattr(log, _MARK, False):
        return ""

    @functools.wraps(log)
    def tapped(self: Any, data: Any, step: Any = None, commit: Any = None) -> Any:
        done = log(self, data, step, commit)
        for session in process.sessions.values():
            # By the object: W&B's ``Run.id`` costs more than all that is done here.
            if session.run is self and isinstance(data, Mapping):
                session.log(cast("Mapping[str, object]", data), step, commit)
        return done

    setattr(tapped, _MARK, True)
    setattr(kind, _NAME, tapped)
    return ""
