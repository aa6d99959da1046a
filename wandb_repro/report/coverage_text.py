"""What a comparison covers, in one line."""

from __future__ import annotations

from wandb_repro.report.text import count
from wandb_repro.verify.outcome import Coverage


def coverage_line(covers: Coverage) -> str:
    """Return what is compared: ``2 models, 2 optimizers, 1,240 optimizer steps, 14 logged keys``.

    Names that differ in every run are counted behind it: ``(2 volatile)``.
    """
    parts = [
        count(number, thing)
        for number, thing in (
            (covers.models, "model"),
            (covers.optimizers, "optimizer"),
            (covers.steps or 0, "optimizer step"),
            (covers.loop_steps, "training step"),
            (covers.other_state, "other variable"),
            (covers.rows, "logged row"),
            (covers.keys, "key"),
            (covers.files, "file"),
        )
        if number
    ]
    volatile = f" ({len(covers.volatile)} volatile, not compared)" if covers.volatile else ""
    return ", ".join(parts) + volatile
