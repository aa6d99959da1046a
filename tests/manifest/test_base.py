"""What all records share: unknown fields, added fields, missing facts, places of faults."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wandb_repro.errors import ManifestError
from wandb_repro.manifest.base import (
    EvolvedRecord,
    ExecutionRecord,
    Record,
    Unavailable,
    added_field,
    first_fault,
    read_record,
    unchecked,
)


class Point(Record):
    """A record."""

    x: int
    label: str | Unavailable = ""


class Grown(EvolvedRecord, Record):
    """A record with a field that its first format did not have."""

    x: int
    y: int = added_field(7)


class Line(ExecutionRecord):
    """A record that a rerun acts on."""

    points: tuple[Point, ...]


def test_an_unknown_field_is_kept_by_a_record() -> None:
    document = {"x": 1, "label": "a", "new": [2]}

    assert Point.model_validate(document).model_dump() == document


def test_an_unknown_field_is_refused_where_a_rerun_acts_on_it() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Line.model_validate({"points": (), "new": 1})


def test_an_added_field_that_was_not_given_is_not_written() -> None:
    assert Grown(x=1).model_dump() == {"x": 1}
    assert Grown(x=1).y == 7
    assert Grown(x=1, y=7).model_dump() == {"x": 1, "y": 7}


def test_an_unchecked_record_equals_one_that_was_checked() -> None:
    assert unchecked(Point, {"x": 1, "label": "a"}) == Point(x=1, label="a")


def test_a_fault_is_named_by_its_place_without_names_of_types() -> None:
    with pytest.raises(ValidationError) as caught:
        Line.model_validate({"points": ({"x": 1}, {"x": "two"})})

    place, what = first_fault(caught.value)
    assert place == "points.1.x"
    assert what == "input should be a valid integer"


def test_a_fault_at_the_top_has_words_for_a_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Line.model_validate(3)

    assert first_fault(caught.value)[0] == "the top level"


def test_a_missing_fact_reads_as_its_reason() -> None:
    assert str(Unavailable(unavailable="no GPU")) == "no GPU"


def test_a_document_is_read_as_its_record() -> None:
    assert read_record(Point, {"x": 1}, "The point is") == Point(x=1)


def test_a_document_that_does_not_match_its_record_is_refused_with_the_place() -> None:
    with pytest.raises(ManifestError) as caught:
        read_record(Line, {"points": [{"x": "1"}]}, "The line is")

    assert caught.value.where == "points.0.x"
    assert caught.value.message.startswith("The line is invalid at points.0.x: ")
