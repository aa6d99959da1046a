"""Which record may follow which."""

from __future__ import annotations

import pytest

from tests.support.records import end, moment, trail
from wandb_repro.errors import TrailError
from wandb_repro.manifest.trail_order import OrderCheck, is_spelled_right


@pytest.mark.parametrize("changed", ["", "0", "0-52,60", "7,9,11-12"])
def test_positions_in_their_spelling_are_right(changed: str) -> None:
    assert is_spelled_right(changed)


@pytest.mark.parametrize("changed", ["-1", "1-", "1,,2", " 1", "0x1", "1-2-3", ","])
def test_other_spellings_are_wrong(changed: str) -> None:
    assert not is_spelled_right(changed)


def test_a_written_trail_is_in_order() -> None:
    check = OrderCheck()

    for line, record in enumerate(trail().records, start=1):
        check.check(record, line)


def test_the_error_names_the_line() -> None:
    with pytest.raises(TrailError, match=r"^Line 3 of the trail is not a start record"):
        OrderCheck().check(end(), 3)


def test_weights_must_have_as_many_digests_as_the_structure_has_variables() -> None:
    check = OrderCheck()
    records = list(trail().records)
    for line, record in enumerate(records[:2], start=1):
        check.check(record, line)

    with pytest.raises(TrailError, match="has 1 digests for 3 variables"):
        check.check(moment(leaves=("1",)), 3)
