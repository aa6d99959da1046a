"""Positions as a step record writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wandb_repro.manifest.leaf_positions import PLACES, places_in, places_of, spans_of


@pytest.mark.parametrize(
    ("places", "text"),
    [((), ""), ((5,), "5"), ((0, 1, 2, 5), "0-2,5"), ((0, 2, 4), "0,2,4"), ((3, 4), "3-4")],
)
def test_neighbours_are_written_as_a_span(places: tuple[int, ...], text: str) -> None:
    assert places_in(places) == text
    assert tuple(places_of(text)) == places


def test_a_single_position_is_a_span_of_one() -> None:
    assert list(spans_of("0-2,5")) == [(0, 2), (5, 5)]


@given(st.sets(st.integers(0, 200)))
def test_what_is_written_is_read_back(places: set[int]) -> None:
    text = places_in(sorted(places))

    assert list(places_of(text)) == sorted(places)
    assert not places or PLACES.fullmatch(text)
