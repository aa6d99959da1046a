from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from wandb_repro.errors import InconclusiveError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import End, Logged
from wandb_repro.verify.history_diff import HistoryComparison
from wandb_repro.verify.history_verdict import HistoryVerdict, Points

Stored = Mapping[int, Mapping[str, object]]


def bits(*values: float) -> str:
    return struct.pack(f">{len(values)}d", *values).hex()


def losses(*values: float, steps: str, first: int = 1) -> Logged:
    return Logged(first=first, rows=len(values), numbers={"loss": bits(*values)}, steps=steps)


def trail(*records: Logged, ended: bool = True) -> Trail:
    end = (End(status="finished", fits=0),) if ended else ()
    return Trail((*records, *end), torn=False)


LOGGED = trail(losses(0.5, 0.25, 0.125, steps="0-1,7"))
STORED: Stored = {0: {"loss": 0.5}, 1: {"loss": 0.25}, 7: {"loss": 0.125}}


def verdict(
    logged: Trail, stored: Stored, *, is_running: bool = False, without_step: int = 0
) -> HistoryVerdict:
    comparison = HistoryComparison(logged)
    for step, row in stored.items():
        comparison.take([(step, {"_step": step, "_timestamp": 1.5, **row})])
    return comparison.verdict("run", is_running=is_running, without_step=without_step)


def named(points: Points) -> list[tuple[str, int, str, str]]:
    assert points.count == len(points.first)
    return [(point.key, point.step, point.logged, point.stored) for point in points.first]


def test_a_history_that_is_whole() -> None:
    found = verdict(LOGGED, STORED)
    assert (found.grade, found.exit_code, found.equal, found.rows) == ("equal", 0, 3, 3)
    assert found.unknown == found.not_compared == ()


@pytest.mark.parametrize("step", [0, 1, 7])
def test_a_row_that_the_server_lost_is_named(step: int) -> None:
    found = verdict(LOGGED, {each: row for each, row in STORED.items() if each != step})
    assert (found.grade, found.exit_code, found.equal) == ("different", 1, 2)
    assert named(found.lost) == [("loss", step, repr(STORED[step]["loss"]), "not there")]


def test_a_key_that_the_server_lost_is_named() -> None:
    record = Logged(first=1, rows=1, numbers={"a": bits(1), "b": bits(2)}, steps="4")
    found = verdict(trail(record), {4: {"a": 1}})
    assert named(found.lost) == [("b", 4, "2.0", "not there")]


def test_a_value_that_changed_is_named_with_both() -> None:
    found = verdict(LOGGED, {**STORED, 1: {"loss": 0.25 + 2**-54}})
    assert (found.grade, found.equal) == ("different", 2)
    assert named(found.changed) == [("loss", 1, "0.25", "0.25000000000000006")]


def test_a_row_that_only_the_server_has_is_named() -> None:
    found = verdict(LOGGED, {**STORED, 3: {"loss": 9}, 7: {"loss": 0.125, "acc": "x"}})
    assert found.grade == "different"
    # The comparison takes steps that rise.
    found = verdict(LOGGED, dict(sorted({**STORED, 3: {"loss": 9}, 8: {"acc": "x"}}.items())))
    assert named(found.extra) == [
        ("loss", 3, "not there", "9"),
        ("acc", 8, "not there", "x"),
    ]


def test_a_step_metric_that_w_and_b_repeats_is_no_difference() -> None:
    record = Logged(first=1, rows=1, numbers={"x": bits(3)}, steps="0")
    later = Logged(first=2, rows=2, numbers={"y": bits(1, 2)}, steps="1-2")
    stored: Stored = {0: {"x": 3}, 1: {"y": 1, "x": 3}, 2: {"y": 2, "x": 3}}
    found = verdict(trail(record, later), stored)
    assert (found.grade, found.equal, found.repeated) == ("equal", 3, 2)
    found = verdict(trail(record, later), {**stored, 2: {"y": 2, "x": 4}})
    assert (found.grade, found.repeated, named(found.extra)) == (
        "different",
        1,
        [("x", 2, "not there", "4")],
    )


def test_media_and_lists_are_not_compared_and_are_named() -> None:
    texts = {"image": ("Image:ab",), "list": ("list:ab",), "chart": ("unknown:Custom",)}
    record = Logged(first=1, rows=1, numbers={"loss": bits(1)}, texts=texts, steps="0")
    table = {"_type": "table-file"}
    stored = {"loss": 1, "image": {"_type": "image-file"}, "chart_table": table, "list": {"a": 1}}
    found = verdict(trail(record), {0: stored})
    assert (found.grade, found.equal) == ("equal", 1)
    assert found.not_compared == ("chart", "chart_table", "image", "list")


def test_names_of_w_and_b_are_not_compared() -> None:
    numbers = {"_timestamp": bits(3), "loss": bits(1)}
    found = verdict(trail(Logged(first=1, rows=1, numbers=numbers, steps="0")), {0: {"loss": 1}})
    assert (found.grade, found.equal) == ("equal", 1)


def test_rows_before_the_record_begins_are_not_compared() -> None:
    found = verdict(trail(losses(0.5, steps="4")), {3: {"loss": 1}, 4: {"loss": 0.5}})
    assert (found.grade, found.exit_code) == ("inconclusive", 3)
    assert named(found.outside) == [("loss", 3, "not there", "1")]
    assert "before step 4" in found.unknown[0]


def test_rows_after_the_last_one_of_a_killed_run_are_not_compared() -> None:
    logged = trail(losses(0.5, steps="0"), ended=False)
    found = verdict(logged, {0: {"loss": 0.5}, 1: {"loss": 1}})
    assert (found.grade, named(found.outside)) == (
        "inconclusive",
        [("loss", 1, "not there", "1")],
    )
    assert verdict(logged, {0: {"loss": 0.5}}).grade == "inconclusive"
    assert verdict(logged, {0: {"loss": 0.25}}).grade == "different"


def test_what_a_running_run_lacks_may_still_come() -> None:
    stored = {0: {"loss": 0.5}}
    assert verdict(LOGGED, stored, is_running=True).grade == "inconclusive"
    assert verdict(LOGGED, STORED, is_running=True).grade == "equal"
    assert verdict(LOGGED, {**STORED, 1: {"loss": 1}}, is_running=True).grade == "different"


def test_rows_without_a_step_are_never_equal() -> None:
    found = verdict(LOGGED, STORED, without_step=2)
    assert (found.grade, found.unknown) == (
        "inconclusive",
        ("W&B has 2 rows without a step, as TensorBoard logs them",),
    )


def test_a_record_of_media_alone_is_never_equal() -> None:
    record = Logged(first=1, rows=1, texts={"image": ("Image:ab",)}, steps="0")
    found = verdict(trail(record), {0: {"image": {"_type": "image-file"}}})
    assert (found.grade, found.equal) == ("inconclusive", 0)


def test_a_thousand_points_are_named_and_all_are_counted() -> None:
    found = verdict(trail(losses(*[0.5] * 1500, steps="0-1499")), {0: {"loss": 0.5}})
    assert (found.lost.count, len(found.lost.first)) == (1499, 1000)


def test_a_record_without_rows_cannot_be_compared() -> None:
    with pytest.raises(InconclusiveError, match="no logged rows"):
        HistoryComparison(trail())
