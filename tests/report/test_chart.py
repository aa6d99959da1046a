"""The bar over the moments of a trail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.report.chart import agreement
from wandb_repro.verify.verdict import Verdict, judge

EQUAL = judge(full_manifest(), trail(), rerun_manifest(), trail())


def _boxes(verdict: Verdict, recorded: int) -> list[tuple[str, float, float]]:
    return [
        (box.get("class", ""), float(box.get("x", "")), float(box.get("width", "")))
        for box in agreement(verdict, recorded).iter("rect")
    ]


def test_all_equal_is_one_bar() -> None:
    assert [kind for kind, _, _ in _boxes(EQUAL, EQUAL.moments)] == ["equal"]


def test_what_was_not_reached_is_drawn_as_such() -> None:
    assert [kind for kind, _, _ in _boxes(EQUAL, EQUAL.moments + 3)] == ["equal", "unknown"]


def test_nothing_compared_says_so() -> None:
    nothing = EQUAL.model_copy(update={"moments": 0})

    assert agreement(nothing, 0).findtext("figcaption") == "nothing was compared"


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_parts_fill_the_bar_and_none_is_too_small_to_be_seen(equal: int, rest: int) -> None:
    boxes = _boxes(EQUAL.model_copy(update={"moments": equal}), equal + rest)

    assert all(width >= 10 for _, _, width in boxes)
    assert (
        not boxes or abs(boxes[-1][1] + boxes[-1][2] - 599) < 0.2
    )  # a tenth is the picture's last digit
