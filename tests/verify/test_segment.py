"""A part of a training that can be replayed from its checkpoint."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import moments, trail
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.request import Beginning, RerunRequest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed, Weights
from wandb_repro.report.record_checkpoints import checkpoint_rows
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.segment import After, Segment, segment_of
from wandb_repro.verify.trail_diff import compare

SUM = "ab" * 32


def saved(epoch: int, **told: Any) -> Checkpoint:
    usual: dict[str, Any] = {"path": f"/c/{epoch}", "digest": SUM}
    return Checkpoint(fit=1, epoch=epoch, step=3 * epoch, **{**usual, **told})


def gone(epoch: int) -> Checkpoint:
    return saved(epoch, digest="", reason="deleted: only the last 2 are kept")


def begun(epoch: int, fit: int = 1, *, is_over: bool = False) -> Beginning:
    path = f"/c/{epoch}" if fit == 1 else f"/c/{fit}/{epoch}"
    return Beginning(fit=fit, epoch=epoch, checkpoint=path, checkpoint_sha256=SUM, is_over=is_over)


def original(*more: Checkpoint | Resumed) -> Trail:
    return trail([*moments(5), *more])


def test_a_segment_ends_with_the_next_checkpoint_or_at_the_end() -> None:
    found = original(saved(1), saved(2), gone(2), saved(4))

    assert segment_of(found, After(1), None) == Segment(1, 4, (begun(1),))
    assert segment_of(found, After(4), None) == Segment(4, None, (begun(4),))
    assert segment_of(found, After(1), 2) == Segment(1, 2, (begun(1),))
    assert segment_of(found, None, None) is None


def test_a_segment_before_the_last_checkpoint_ends_with_the_final_weights() -> None:
    ended, killed = moments(5), moments(5)[:-1]
    assert [ended[-1].moment, killed[-1].moment] == ["final", "epoch"]

    assert segment_of(trail([*ended, saved(4), saved(5)]), After(4), None) == Segment(
        4, None, (begun(4),)
    )
    assert segment_of(trail([*killed, saved(4), saved(5)]), After(4), None) == Segment(
        4, 5, (begun(4),)
    )


def test_a_run_that_went_on_begins_where_it_went_on() -> None:
    went_on = Resumed(fit=1, epoch=2, step=6, path="/c/2", digest=SUM)

    assert segment_of(original(went_on), None, None) == Segment(2, None, (begun(2),))
    assert segment_of(original(went_on), After(2), None) == Segment(2, None, (begun(2),))


REFUSED = {
    "none at all": (original(), 2, r"recorded no checkpoints"),
    "deleted": (
        original(gone(1), saved(3)),
        1,
        r"of epoch 1: deleted: .* checkpoints exist of epoch 3\.",
    ),
    "never saved": (
        original(saved(3)),
        2,
        r"No checkpoint of epoch 2; checkpoints exist of epoch 3\.",
    ),
    "nothing behind": (original(saved(5)), 5, r"The record ends with epoch 5"),
}


@pytest.mark.parametrize(("found", "after", "why"), REFUSED.values(), ids=REFUSED)
def test_a_segment_that_cannot_be_replayed_says_why(found: Trail, after: int, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        segment_of(found, After(after), None)


def test_a_segment_lies_behind_its_beginning() -> None:
    with pytest.raises(UsageError, match="must come after"):
        segment_of(original(saved(3)), After(3), 3)


def of_fit(number: int, moments_of_it: list[Weights]) -> list[Weights]:
    return [it.model_copy(update={"fit": number}) for it in moments_of_it]


def saved_in(fit: int, epoch: int, **told: Any) -> Checkpoint:
    return saved(epoch, **{"path": f"/c/{fit}/{epoch}", **told}).model_copy(update={"fit": fit})


def two_fits(*more: Checkpoint | Resumed, first: list[Weights] | None = None) -> Trail:
    return trail([*(moments(3) if first is None else first), *of_fit(2, moments(5)), *more])


FIRST_ENDS = saved(3)
WHOLE = two_fits(saved(2), FIRST_ENDS, saved_in(2, 2), saved_in(2, 4), saved_in(2, 5))


def test_a_later_fit_begins_behind_the_checkpoints_of_the_ends_before_it() -> None:
    passed = begun(3, is_over=True)

    assert segment_of(WHOLE, After(2, 2), None) == Segment(2, 4, (passed, begun(2, 2)), 2)
    assert segment_of(WHOLE, After(2, 2), 5) == Segment(2, 5, (passed, begun(2, 2)), 2)
    assert segment_of(WHOLE, After(0, 2), None) == Segment(0, 2, (passed,), 2)
    assert segment_of(WHOLE, After(2), None) == Segment(2, 3, (begun(2),))


def test_a_segment_of_an_earlier_fit_ends_with_that_fit() -> None:
    found = two_fits(saved(2))

    assert segment_of(found, After(2), None) == Segment(2, 3, (begun(2),))
    with pytest.raises(UsageError, match=r"--until-epoch 4: fit 1 ends with epoch 3\."):
        segment_of(found, After(2), 4)


def test_a_run_that_went_on_in_its_second_fit_begins_each_fit_where_it_went_on() -> None:
    first = Resumed(fit=1, epoch=3, step=9, path="/c/3", digest=SUM)
    second = Resumed(fit=2, epoch=2, step=6, path="/c/2/2", digest=SUM)
    ends = [it for it in moments(3) if it.moment in ("initial", "final")]
    passed = begun(3, is_over=True)

    found = two_fits(first, second, first=ends)
    assert segment_of(found, None, None) == Segment(2, None, (passed, begun(2, 2)), 2)
    assert segment_of(found, After(2, 2), 3) == Segment(2, 3, (passed, begun(2, 2)), 2)
    between = two_fits(first, first=ends)
    assert segment_of(between, None, None) == Segment(0, None, (passed,), 2)


def test_a_run_that_went_on_behind_its_end_shows_nothing() -> None:
    ends = [it for it in moments(3) if it.moment in ("initial", "final")]
    found = trail([*ends, Resumed(fit=1, epoch=3, step=9, path="/c/3", digest=SUM)])
    segment = segment_of(found, None, None)

    assert segment is not None
    assert compare(found, found, segment.limit(None)).digests == 0


REFUSED_OF_FIT = {
    "no such fit": (WHOLE, 3, 1, "No fit 3: the run called fit 2 times.", "show"),
    "no checkpoints in it": (
        two_fits(FIRST_ENDS),
        *(2, 1, "The run recorded no checkpoints of fit 2."),
        "Checkpoints exist of fit 1: name one with --from-epoch FIT:N.",
    ),
    "only checkpoints of a later one": (
        two_fits(saved_in(2, 4)),
        *(1, 1, "The run recorded no checkpoints."),
        "Checkpoints exist of fit 2: name one with --from-epoch FIT:N.",
    ),
    "none of this epoch": (
        *(WHOLE, 2, 3),
        "No checkpoint of epoch 3 of fit 2; checkpoints exist of epoch 2, 4, 5.",
        "",
    ),
    "none of the end before": (
        two_fits(saved(2), saved_in(2, 4)),
        *(2, 4),
        "Fit 2 cannot be replayed without training the fits before it: "
        "fit 1 has no checkpoint of its last epoch, 3.",
        "Rerun without --from-epoch",
    ),
    "the end before is deleted": (
        two_fits(gone(3), saved_in(2, 4)),
        *(2, 4),
        "Fit 2 cannot be replayed without training the fits before it: the last "
        "checkpoint of fit 1 is missing: deleted: only the last 2 are kept.",
        "Rerun without --from-epoch",
    ),
    "the one before was interrupted": (
        two_fits(FIRST_ENDS, saved_in(2, 4), first=moments(3)[:-1]),
        *(2, 4),
        "Fit 2 cannot be replayed without training the fits before it: fit 1 did not finish.",
        "Rerun without --from-epoch",
    ),
    "nothing behind, and a fit follows": (
        *(WHOLE, 1, 3, "Fit 1 ends with epoch 3."),
        "--from-epoch 2:0 replays the next fit.",
    ),
    "nothing behind": (
        *(WHOLE, 2, 5, "The record ends with epoch 5 of fit 2."),
        "",
    ),
}


@pytest.mark.parametrize(
    ("found", "fit", "after", "why", "hint"), REFUSED_OF_FIT.values(), ids=REFUSED_OF_FIT
)
def test_a_segment_of_a_fit_that_cannot_be_replayed_says_why_and_what_to_do(
    found: Trail, fit: int, after: int, why: str, hint: str
) -> None:
    with pytest.raises(RefusedError) as error:
        segment_of(found, After(after, fit), None)

    assert error.value.message == why
    assert error.value.hint.startswith(hint) or hint in error.value.hint
    assert bool(error.value.hint) == bool(hint)


def test_fits_that_were_passed_over_are_not_compared_and_not_missed() -> None:
    def other(it: Weights) -> Weights:
        return it.model_copy(update={"leaves": ("f" * 32, *it.leaves[1:]), "root": "f" * 32})

    second = of_fit(2, moments(5))
    limit = Limit(epoch=4, after=2, fit=2, passed=(1,))
    segment = [it for it in second if it.moment == "epoch" and it.epoch in (3, 4)]
    put_back = [other(it) for it in moments(3) if it.moment in ("initial", "final")]

    found = compare(WHOLE, trail([*put_back, *segment]), limit)
    assert (found.absent, found.moments, found.trained_moments, found.first) == ((), 2, 2, None)
    assert found.last_equal == "the end of epoch 4 of fit 2"
    holed = compare(WHOLE, trail([*put_back, segment[1]]), limit)
    assert holed.absent == ("the end of epoch 3 of fit 2",)
    differs = compare(WHOLE, trail([*put_back, segment[0], other(segment[1])]), limit)
    assert differs.first is not None
    assert differs.first.what == "the end of epoch 4 of fit 2"


def test_a_limit_counts_in_its_own_fit() -> None:
    limit = Limit(epoch=2, after=1, fit=2, passed=(1,))
    reached = [it for it in WHOLE.moments() if limit.reached_by(it)]

    assert (reached[0].fit, reached[0].moment, reached[0].epoch) == (2, "epoch", 2)


def test_an_order_tells_the_limit_of_its_segment() -> None:
    segment = segment_of(WHOLE, After(2, 2), None)
    assert segment is not None
    request = RerunRequest(
        capsule="/capsule",
        original="ada/digits/1",
        code_root="/code",
        whereabouts="/whereabouts.json",
        keep_going=False,
        until_epoch=segment.until,
        until_step=7,
        from_epoch=segment.after,
        from_fit=segment.fit,
        beginnings=segment.beginnings,
        allow_outputs=False,
    )

    again = RerunRequest.model_validate_json(request.model_dump_json())
    assert Limit.of_request(again) == segment.limit(7) == Limit(4, 7, 2, 2, (1,))


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
    assert str(Limit(epoch=3, after=2, fit=2, passed=(1,))) == (
        "epoch 3 of fit 2, from the checkpoint of epoch 2 of fit 2; not compared: fit 1"
    )
    assert str(Limit(after=0, fit=3, passed=(1, 2))) == (
        "the end, from the start of fit 3; not compared: fit 1 and fit 2"
    )


def test_the_rows_tell_which_checkpoints_there_are_and_why_others_are_not() -> None:
    went_on = Resumed(fit=1, epoch=1, step=3, path="/c/1", digest=SUM, inexact=("another seed",))
    found = original(
        went_on, saved(2), saved(3, best=True, size_bytes=1400000, unsaved=("rng.x",)), gone(2)
    )

    assert list(checkpoint_rows(found)) == [
        ("resumed", "after epoch 1, from /c/1, not exactly: another seed"),
        ("checkpoint", f"epoch 3, the best: /c/3, 1.4 MB, SHA-256 {SUM}"),
        ("no checkpoint", "of epoch 2 in /c: deleted: only the last 2 are kept"),
        ("not saved", "rng.x"),
    ]
    assert list(checkpoint_rows(original())) == []
