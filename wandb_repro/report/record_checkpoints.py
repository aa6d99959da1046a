"""The checkpoints of a run in rows, and the one that it resumed from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.report.text import size


def checkpoint_rows(trail: Trail) -> Iterator[tuple[str, str]]:
    """Yield the checkpoints of a run, and why others do not exist; nothing if there are none."""
    for resumed in trail.of(Resumed):
        inexact = f", not exactly: {'; '.join(resumed.inexact)}" if resumed.inexact else ""
        at = f"epoch {resumed.epoch}{_of_fit(resumed)}"
        yield "resumed", f"after {at}, from {resumed.path}{inexact}"
    last = {(one.fit, one.epoch): one for one in trail.of(Checkpoint)}
    saved = [one for one in last.values() if one.digest]
    for one in saved:
        best = ", the best" if one.best and one is _best(saved) else ""
        file = f"{one.path}, {size(one.size_bytes)}, SHA-256 {one.digest}"
        yield "checkpoint", f"epoch {one.epoch}{_of_fit(one)}{best}: {file}"
    for reason in dict.fromkeys(one.reason for one in last.values() if not one.digest):
        gone = [one for one in last.values() if not one.digest and one.reason == reason]
        epochs = ", ".join(f"{one.epoch}{_of_fit(one)}" for one in gone[:_MOST])
        more = f" and {len(gone) - _MOST} more" if len(gone) > _MOST else ""
        folder = PurePosixPath(gone[0].path).parent
        yield "no checkpoint", f"of epoch {epochs}{more} in {folder}: {reason}"
    for unsaved in dict.fromkeys(text for one in saved for text in one.unsaved):
        yield "not saved", unsaved


_MOST = 20


def _best(saved: list[Checkpoint]) -> Checkpoint:
    return [one for one in saved if one.best][-1]


def _of_fit(one: Checkpoint | Resumed) -> str:
    return f" of fit {one.fit}" if one.fit > 1 else ""
