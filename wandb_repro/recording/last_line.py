"""The last line of a training: whether it can be repeated, and with which command."""

from __future__ import annotations

import shlex
from pathlib import Path

from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.wandb_run import named
from wandb_repro.report.record_answer import answer
from wandb_repro.verify.audit import audit


def last_line(manifest: Manifest, trail: Trail, *, files: Path, started_in: str) -> str:
    """Return the line: the same answer as ``wandb-repro show`` gives, and the command or the cure.

    Args:
        manifest: the complete record.
        trail: its trail.
        files: folder of the run's files (``run.dir``).
        started_in: folder in which the user started the training.

    Example:
        ``recorded: can be rerun with `wandb-repro rerun ada/digits/k3v9x2ab` ``
    """
    name = shlex.quote(named(manifest.run, files, started_in))
    command = f"`wandb-repro rerun {name}`"
    reasons = answer(audit(manifest, trail)).reasons
    worst = reasons[0] if reasons else None
    if worst is None or worst.effect == "explains":
        return f"recorded: can be rerun with {command}"
    first, more = worst.findings[0], len(worst.findings) - 1
    why = f"{first.sentence}{f' (and {more} more)' if more else ''}"
    cure = f"; {first.cure}" if first.cure else ""
    if worst.effect == "stops":
        return f"recorded, but cannot be rerun: {why}{cure}"
    if worst.effect == "is not compared":
        return f"recorded: can be rerun with {command}, but not all is compared: {why}{cure}"
    perhaps = "" if worst.effect == "changes bits" else "perhaps "
    return f"recorded: can be rerun with {command}, but {perhaps}not to the same bits: {why}{cure}"
