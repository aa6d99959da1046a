from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from wandb_repro.manifest.trail_records import Logged
from wandb_repro.recording.history import Rows


def numbers(record: Logged, name: str) -> tuple[float, ...]:
    digits = record.numbers[name]
    return struct.unpack(f">{len(digits) // 16}d", bytes.fromhex(digits))


def test_each_call_without_a_step_is_a_row() -> None:
    rows = Rows()
    for value in (0.5, 0.25):
        assert rows.log({"loss": value}, None, None) == []

    (record,) = rows.finish()

    assert (record.first, record.rows, numbers(record, "loss")) == (1, 2, (0.5, 0.25))


def test_calls_without_commit_are_merged_into_the_next_row() -> None:
    rows = Rows()
    rows.log({"a": 1}, None, False)
    rows.log({"b": 2}, None, None)

    (record,) = rows.finish()

    assert rows.committed == 1
    assert record.numbers.keys() == {"a", "b"}


def test_a_later_step_commits_the_row_before() -> None:
    rows = Rows()
    rows.log({"a": 1}, 3, None)
    assert rows.committed == 0
    rows.log({"b": 2}, 3, None)
    rows.log({"a": 5}, 4, None)
    assert rows.committed == 1

    first, second = rows.finish()

    assert first.numbers.keys() == {"a", "b"}
    assert (second.first, numbers(second, "a")) == (2, (5.0,))


def test_a_call_for_an_earlier_step_is_dropped_as_w_and_b_drops_it() -> None:
    rows = Rows()
    rows.log({"a": 1}, 3, None)
    rows.log({"late": 1}, 2, None)

    (record,) = rows.finish()

    assert record.numbers.keys() == {"a"}


def test_other_keys_begin_another_record() -> None:
    rows = Rows()
    rows.log({"a": 1}, None, None)
    (record,) = rows.log({"b": "text"}, None, None)

    assert (record.first, record.rows, record.texts) == (1, 1, {})
    (last,) = rows.finish()
    assert (last.first, last.texts) == (2, {"b": ("str:text",)})


def test_a_record_is_written_after_256_rows() -> None:
    rows = Rows()
    done = [record for step in range(257) for record in rows.log({"a": step}, None, None)]

    assert [(record.first, record.rows) for record in done] == [(1, 256)]
    assert [(record.first, record.rows) for record in rows.finish()] == [(257, 1)]


def test_an_empty_row_is_no_row() -> None:
    rows = Rows()
    rows.log({}, None, None)

    assert rows.committed == 0
    assert rows.finish() == []


def test_rows_with_the_same_names_in_another_order_are_one_record() -> None:
    rows = Rows()
    rows.log({"loss": 0.5, "note": "a"}, None, None)
    rows.log({"note": "b", "loss": 0.25}, None, None)

    (record,) = rows.finish()

    assert numbers(record, "loss") == (0.5, 0.25)
    assert record.texts == {"note": ("str:a", "str:b")}


def test_a_name_whose_value_becomes_a_text_begins_a_record() -> None:
    rows = Rows()
    rows.log({"loss": 0.5}, None, None)

    (first,) = rows.log({"loss": "nan?"}, None, None)
    (second,) = rows.finish()

    assert numbers(first, "loss") == (0.5,)
    assert (second.first, second.texts) == (2, {"loss": ("str:nan?",)})


def test_the_step_of_each_row_is_kept() -> None:
    rows = Rows(4)
    rows.log({"a": 1}, None, None)
    rows.log({"a": 2}, None, None)
    rows.log({}, None, None)  # W&B stores a row without values
    rows.log({"a": 3}, 10**12, True)
    rows.log({"a": 4}, 3, None)  # W&B drops the call
    rows.log({"b": 5}, None, False)

    first, second = rows.finish()

    assert (first.rows, first.steps) == (3, "4-5,1000000000000")
    assert (second.rows, second.steps) == (1, "1000000000001")


def test_steps_that_are_not_known_are_not_written() -> None:
    rows = Rows(None)
    rows.log({"a": 1}, 7, True)

    (record,) = rows.finish()

    assert "steps" not in record.model_dump()


def test_a_run_that_goes_on_notes_where_it_began() -> None:
    new, more = Rows(0), Rows(40)
    for each in (new, more):
        each.log({"loss": 0.5}, None, None)

    assert [(record.steps, record.begins) for record in (*new.finish(), *more.finish())] == [
        ("0", 0),
        ("40", 40),
    ]


VALUES = st.sampled_from([0.5, -0.0, float("inf"), 1, True, "text", None])
ROWS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(st.lists(st.tuples(ROWS, st.integers(1, 3)), max_size=8))
def test_a_row_like_the_one_before_is_read_as_any_other(
    rows: list[tuple[dict[str, object], int]],
) -> None:
    quick, whole = Rows(), Rows()
    for row, times in rows:
        for _ in range(times):
            quick.log(dict(row), None, None)
            whole.log(row, None, True)  # the same to W&B, and each value is read

    assert quick.committed == whole.committed
    assert quick.finish() == whole.finish()


def test_a_row_that_is_begun_is_merged_with_one_like_the_row_before() -> None:
    rows = Rows()
    rows.log({"a": 0.5}, None, None)
    rows.log({"b": 0.25}, None, False)
    (first,) = rows.log({"a": 1.0}, None, None)
    (second,) = rows.finish()

    assert first.numbers.keys() == {"a"}
    assert (second.rows, second.numbers.keys(), second.steps) == (1, {"a", "b"}, "1")
