from __future__ import annotations

import struct

import pytest

from tests.support.records import losses
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Logged, Seen, Summary, TrailRecord
from wandb_repro.verify.value_diff import ValueComparison, readable, rows_of, values_of


def bits(*values: float) -> str:
    return struct.pack(f">{len(values)}d", *values).hex()


def rows(first: int, *values: float, **texts: tuple[str, ...]) -> Logged:
    return Logged(first=first, rows=len(values), numbers={"acc": bits(*values)}, texts=texts)


def differences(
    original: list[TrailRecord], rerun: list[TrailRecord], *, whole: bool = True
) -> list[str]:
    comparison = ValueComparison()
    for record in original:
        comparison.take(0, record)
    for record in rerun:
        comparison.take(1, record)
    return [str(found) for found in comparison.differences(whole=whole)]


def test_equal_records_do_not_differ() -> None:
    records: list[TrailRecord] = [
        losses(0.5, 0.25),
        rows(1, 0.1, 0.2),
        Summary(values={"a": "none"}),
    ]

    assert differences(records, records) == []


def test_the_first_step_whose_loss_differs_is_named_and_the_others_counted() -> None:
    comparison = ValueComparison()
    comparison.take(0, losses(0.5, 0.25, 0.125))
    comparison.take(1, losses(0.5, 0.75, 0.875))

    (found,) = comparison.differences(whole=True)

    assert (found.what, found.key, found.where, found.places) == (
        *("loss", "loss", "step 2 (epoch 1)", 2),
    )
    assert (found.original, found.rerun) == ("0.25", "0.75")


def test_the_last_row_of_a_run_that_ended_before_the_other_may_lack_keys() -> None:
    """Such as one that was open when the script failed."""
    open_row = Logged(first=2, rows=1, numbers={"loss": bits(0.5)}, texts={})
    other = Logged(first=2, rows=1, numbers={"loss": bits(0.5), "val": bits(0.25)}, texts={})
    more = rows(3, 0.2)

    assert differences([rows(1, 0.1), other, more], [rows(1, 0.1), open_row], whole=False) == []
    assert differences([rows(1, 0.1), other, more], [rows(1, 0.1), open_row]) != []
    whole_row: list[TrailRecord] = [rows(1, 0.1), open_row, more]
    assert differences([rows(1, 0.1), other, more], whole_row, whole=False) != []


def test_how_far_each_history_came_is_known() -> None:
    comparison = ValueComparison()
    for first in (1, 3):
        comparison.take(0, rows(first, 0.1, 0.2))
    comparison.take(1, rows(1, 0.1))

    assert comparison.last_rows == (4, 1)


def test_a_last_bit_is_a_difference() -> None:
    assert differences([losses(1.0)], [losses(1.0000000000000002)])


def test_losses_cut_into_records_in_another_way_are_compared_step_by_step() -> None:
    whole, parts = [losses(0.5, 0.25, 0.125)], [losses(0.5), losses(0.25, 0.125, first=2)]

    assert differences(list(whole), list(parts)) == []
    assert differences(list(whole), [losses(0.5), losses(0.25, 0.5, first=2)]) == [
        "loss at step 3 (epoch 1): 0.125 in the original, 0.5 in the rerun"
    ]


def test_steps_that_one_run_never_reached_are_no_difference() -> None:
    assert differences([losses(0.5, 0.25)], [losses(0.5)]) == []


def test_a_row_that_only_one_run_logged_is_a_difference_if_both_finished() -> None:
    one, two = [rows(1, 0.5, 0.25)], [rows(1, 0.5)]

    assert differences(list(one), list(two)) == [
        "logged acc at row 2: 0.25 in the original, not there in the rerun"
    ]
    assert differences(list(one), list(two), whole=False) == []


def test_texts_are_compared() -> None:
    one, two = rows(1, 0.5, note=("str:good",)), rows(1, 0.5, note=("str:bad",))

    assert differences([one], [two]) == [
        "logged note at row 1: good in the original, bad in the rerun"
    ]


def test_volatile_names_are_listed_and_not_compared() -> None:
    comparison = ValueComparison(["noise"])
    names = ("noise", "epoch_time", "acc")
    for side, value in ((0, 1.0), (1, 2.0)):
        numbers = {name: bits(value if name != "acc" else 0.5) for name in names}
        comparison.take(0 if side == 0 else 1, Logged(first=1, rows=1, numbers=numbers))

    assert comparison.differences(whole=True) == ()
    assert comparison.volatile == {"noise", "epoch_time"}
    assert comparison.keys == {"acc"}


def test_values_that_were_not_digested_are_named() -> None:
    comparison = ValueComparison()
    for side in (0, 1):
        comparison.take(0 if side == 0 else 1, rows(1, 0.5, plot=("unknown:Figure",)))

    assert comparison.unknown == {"plot"}


def test_other_first_batches_are_a_difference() -> None:
    def seen(digest: str | None) -> Seen:
        batches = Unavailable(unavailable="lost") if digest is None else (digest,)
        return Seen(fit=1, epoch=0, batches=batches, rows=())

    assert differences([seen("a1")], [seen("b2")]) == ["the batches at the start of epoch 1 differ"]
    assert differences([seen(None)], [seen("b2")]) == []


def test_a_summary_that_only_one_run_has_is_a_difference() -> None:
    summary = Summary(values={"best": (0.5).hex()})

    assert differences([summary], []) == ["best: 0.5 in the original, not there in the rerun"]


def test_without_rows_only_training_is_compared() -> None:
    comparison = ValueComparison(rows=False)
    comparison.take(0, rows(1, 0.5))
    comparison.take(1, rows(1, 0.25))

    assert comparison.differences(whole=True) == ()


def test_records_are_read_value_by_value() -> None:
    assert dict(values_of(losses(0.5, 0.25, first=3))) == {
        3: {"loss": bits(0.5)},
        4: {"loss": bits(0.25)},
    }
    assert dict(rows_of(rows(7, 1.0, note=("none",)))) == {7: {"acc": bits(1.0), "note": "none"}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((bits(0.1), "0.1"), ((0.5).hex(), "0.5"), ("nan", "nan"), ("", "not there")),
        *(("str:red", "red"), ("int:5", "5"), ("array:ab12", "array:ab12"), ("none", "none")),
    ],
)
def test_values_are_shown_for_people(value: str, text: str) -> None:
    assert readable(value) == text


def test_a_text_that_differs_only_in_a_time_is_listed_and_not_compared() -> None:
    comparison = ValueComparison()
    for side, day in ((0, "2026-11-30"), (1, "2026-12-01")):
        comparison.take(side, rows(1, 0.5, started=(f"str:at {day}",)))  # pyright: ignore[reportArgumentType] - 0 or 1
        comparison.take(side, Summary(values={"started": f"str:at {day}", "acc": "0x1p-1"}))  # pyright: ignore[reportArgumentType]

    assert comparison.differences(whole=True) == ()
    assert (comparison.keys, comparison.volatile) == ({"acc"}, {"started"})


def test_a_text_that_differs_beside_a_time_is_a_difference() -> None:
    (found,) = differences(
        [rows(1, 0.5, name=("str:cat 2026-11-30",))], [rows(1, 0.5, name=("str:dog 2026-12-01",))]
    )
    assert found.startswith("logged name at row 1: cat 2026-11-30")
