"""Rows about the checkpoints of a run, including those that it resumed from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.report.text import size


def checkpoint_rows(trail: Trail) -> Iterator[tuple[str, str]]:
    """Yield the checkpoints of a run, and why some are missing; nothing if there are none."""
    for resumed in trail.of(Resumed):
        inexact = f", not exactly: {'; '.join(resumed.inexact)}" if resumed.inexact else ""
        at = f"epoch {resumed.epoch}{_of_fit(resumed)}"
        yield "resumed", f"after {at}, from {resumed.path}{inexact}"
    last = {(record.fit, record.epoch): record for record in trail.of(Checkpoint)}.values()
    saved = [checkpoint for checkpoint in last if checkpoint.digest]
    best = next((checkpoint for checkpoint in reversed(saved) if checkpoint.best), None)
    for checkpoint in saved:
        mark = ", the best" if checkpoint is best else ""
        file = f"{checkpoint.path}, {size(checkpoint.size_bytes)}, SHA-256 {checkpoint.digest}"
        yield "checkpoint", f"epoch {checkpoint.epoch}{_of_fit(checkpoint)}{mark}: {file}"
    for reason in dict.fromkeys(record.reason for record in last if not record.digest):
        missing = [record for record in last if not record.digest and record.reason == reason]
        epochs = ", ".join(f"{record.epoch}{_of_fit(record)}" for record in missing[:_MOST])
        more = f" and {len(missing) - _MOST} more" if len(missing) > _MOST else ""
        folder = PurePosixPath(missing[0].path).parent
        yield "no checkpoint", f"of epoch {epochs}{more} in {folder}: {reason}"
    for unsaved in dict.fromkeys(text for checkpoint in saved for text in checkpoint.unsaved):
        yield "not saved", unsaved


_MOST = 20


def _of_fit(record: Checkpoint | Resumed) -> str:
    return f" of fit {record.fit}" if record.fit > 1 else ""
