"""Checkpoints of a run in rows."""

from __future__ import annotations

from typing import Any

from tests.support.records import trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.report.record_checkpoints import checkpoint_rows

DIGEST = "ab" * 32


def saved(epoch: int, **fields: Any) -> Checkpoint:
    known: dict[str, Any] = {"digest": DIGEST, "size_bytes": 1500, **fields}
    return Checkpoint(
        fit=known.pop("fit", 1), epoch=epoch, step=1, path=f"/c/{epoch}.ckpt", **known
    )


def gone(epoch: int, reason: str) -> Checkpoint:
    return saved(epoch, digest="", size_bytes=0, reason=reason)


def rows_of(*records: Checkpoint | Resumed) -> list[tuple[str, str]]:
    return list(checkpoint_rows(trail(records)))


def test_a_run_without_checkpoints_has_no_rows() -> None:
    assert rows_of() == []


def test_a_checkpoint_is_named_with_its_file() -> None:
    assert rows_of(saved(2)) == [
        ("checkpoint", f"epoch 2: /c/2.ckpt, 1.5 kB, SHA-256 {DIGEST}"),
    ]


def test_only_the_last_best_one_is_the_best() -> None:
    rows = rows_of(saved(1, best=True), saved(2, best=True), saved(3))

    assert [row.partition(":")[0] for _, row in rows] == ["epoch 1", "epoch 2, the best", "epoch 3"]


def test_of_several_for_one_epoch_the_last_counts() -> None:
    rows = rows_of(saved(1), saved(2), gone(1, "deleted"))

    assert [name for name, _ in rows] == ["checkpoint", "no checkpoint"]
    assert rows[1][1] == "of epoch 1 in /c: deleted"


def test_missing_checkpoints_are_one_row_for_each_reason_and_many_are_counted() -> None:
    rows = rows_of(*[gone(epoch, "deleted") for epoch in range(1, 24)], gone(24, "disk full"))

    assert rows[0][1].endswith("19, 20 and 3 more in /c: deleted")
    assert rows[1] == ("no checkpoint", "of epoch 24 in /c: disk full")


def test_a_resume_says_where_from_and_why_it_is_not_exact() -> None:
    resumed = Resumed(fit=2, epoch=3, step=9, path="/c/3.ckpt", digest=DIGEST, inexact=("a", "b"))

    assert rows_of(resumed) == [
        ("resumed", "after epoch 3 of fit 2, from /c/3.ckpt, not exactly: a; b"),
    ]


def test_what_no_checkpoint_saves_is_named_once() -> None:
    rows = rows_of(saved(1, unsaved=("a counter",)), saved(2, unsaved=("a counter",)))

    assert rows[2:] == [("not saved", "a counter")]
