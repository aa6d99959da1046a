from __future__ import annotations

from wandb_repro.report.coverage_text import coverage_line
from wandb_repro.verify.outcome import Coverage


def test_what_is_covered_is_one_line() -> None:
    covers = Coverage(models=2, optimizers=1, steps=1240, rows=12, keys=14, files=3)

    assert coverage_line(covers) == (
        "2 models, 1 optimizer, 1,240 optimizer steps, 12 logged rows, 14 keys, 3 files"
    )


def test_steps_that_no_optimizer_counts_are_covered() -> None:
    assert coverage_line(Coverage(loop_steps=16, keys=1)) == "16 training steps, 1 key"


def test_volatile_names_are_counted_also_where_files_were_compared() -> None:
    covers = Coverage(keys=1, files=1, volatile=("_runtime", "debug.log"))

    assert coverage_line(covers) == "1 key, 1 file (2 volatile, not compared)"
