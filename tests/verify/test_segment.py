"""A part of a training that can be replayed from its checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import moments, trail
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.trail import Checkpoint, Resumed, Trail, Weights
from wandb_repro.report.checkpoints import checkpoint_rows
from wandb_repro.verify.segment import Segment, segment_of
from wandb_repro.verify.trails import Limit, compare

SUM = "ab" * 32


def saved(epoch: int, **told: Any) -> Checkpoint:
    usual: dict[str, Any] = {"path": f"/c/{epoch}", "digest": SUM}
    return Checkpoint(fit=1, epoch=epoch, step=3 * epoch, **{**usual, **told})


def gone(epoch: int) -> Checkpoint:
    return saved(epoch, digest="", reason="deleted: only the last 2 are kept")


def original(*more: Checkpoint | Resumed) -> Trail:
    return trail([*moments(5), *more])


def test_a_segment_ends_with_the_next_checkpoint_or_at_the_end() -> None:
    found = original(saved(1), saved(2), gone(2), saved(4))

    assert segment_of(found, 1, None) == Segment(1, 4, "/c/1", SUM)
    assert segment_of(found, 4, None) == Segment(4, None, "/c/4", SUM)
    assert segment_of(found, 1, 2) == Segment(1, 2, "/c/1", SUM)
    assert segment_of(found, None, None) is None


def test_a_run_that_went_on_begins_where_it_went_on() -> None:
    went_on = Resumed(fit=1, epoch=2, step=6, path="/c/2", digest=SUM)

    assert segment_of(original(went_on), None, None) == Segment(2, None, "/c/2", SUM)


REFUSED = {
    "none at all": (original(), 2, r"recorded no checkpoints"),
    "deleted": (original(gone(1), saved(3)), 1, r"of epoch 1: deleted: .* there is of epoch 3\."),
    "never saved": (original(saved(3)), 2, r"no checkpoint of epoch 2; there is of epoch 3\."),
    "nothing behind": (original(saved(5)), 5, r"Nothing lies behind epoch 5"),
}


@pytest.mark.parametrize(("found", "after", "why"), REFUSED.values(), ids=REFUSED)
def test_a_segment_that_cannot_be_replayed_says_why(found: Trail, after: int, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        segment_of(found, after, None)


def test_a_segment_lies_behind_its_beginning() -> None:
    with pytest.raises(UsageError, match="does not lie behind"):
        segment_of(original(saved(3)), 3, 3)


def of_epochs(*epochs: int) -> Trail:
    return trail([it for it in moments(5) if it.moment == "epoch" and it.epoch in epochs])


def test_what_lies_before_a_segment_is_not_missed_and_what_lies_in_it_is() -> None:
    limit = Limit(epoch=4, after=2)

    whole = compare(of_epochs(1, 2, 3, 4, 5), of_epochs(3, 4), limit)
    assert (whole.absent, whole.moments, whole.first) == ((), 2, None)

    holed = compare(of_epochs(1, 2, 3, 4, 5), of_epochs(4), limit)
    assert holed.absent == ("the end of epoch 3",)


def test_a_difference_inside_a_segment_is_found() -> None:
    def other(it: Weights) -> Weights:
        return it.model_copy(update={"leaves": ("f" * 32, *it.leaves[1:]), "root": "f" * 32})

    (third,) = list(of_epochs(3).weights)
    found = compare(of_epochs(1, 2, 3), trail([other(third)]), Limit(epoch=3, after=2))

    assert found.first is not None
    assert found.first.what == "the end of epoch 3"


def test_a_limit_is_told_in_words() -> None:
    assert str(Limit(epoch=4, after=2)) == "epoch 4, from the checkpoint of epoch 2"
    assert str(Limit(after=2)) == "the end, from the checkpoint of epoch 2"


def test_the_rows_tell_which_checkpoints_there_are_and_why_others_are_not() -> None:
    went_on = Resumed(fit=1, epoch=1, step=3, path="/c/1", digest=SUM, inexact=("another seed",))
    found = original(
        went_on, saved(2), saved(3, best=True, size_bytes=1400000, unsaved=("rng.x",)), gone(2)
    )

    assert list(checkpoint_rows(found)) == [
        ("went on", "behind epoch 1, from /c/1, not exactly: another seed"),
        ("checkpoint", f"epoch 3, the best: /c/3, 1.4 MB, SHA-256 {SUM}"),
        ("no checkpoint", "of epoch 2 in /c: deleted: only the last 2 are kept"),
        ("not kept", "rng.x"),
    ]
    assert list(checkpoint_rows(original())) == []
