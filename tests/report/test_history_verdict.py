"""The text of ``verify --history``: what was compared, and which points differ."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.terminal import on_paper
from wandb_repro.report.history_verdict import history_text
from wandb_repro.verify.history_verdict import Grade, HistoryVerdict, Point, Points

NONE = Points()


def points(logged: str, stored: str, count: int = 1) -> Points:
    first = [
        Point(key=f"loss{step}", step=1000 + step, logged=logged, stored=stored)
        for step in range(count)
    ]
    return Points(count=count, first=tuple(first))


def text_of(grade: Grade, **fields: Any) -> str:
    verdict = HistoryVerdict.model_validate(
        {
            "run": "ada/digits/a1",
            "grade": grade,
            "rows": 1,
            "equal": 1200,
            "repeated": 0,
            "lost": NONE,
            "changed": NONE,
            "extra": NONE,
            "outside": NONE,
            "not_compared": (),
            "unknown": (),
            **fields,
        }
    )
    return on_paper(history_text(verdict))


def test_a_history_that_is_whole_says_how_much_was_compared() -> None:
    text = text_of("equal", repeated=2, not_compared=("image", "table"))
    assert text.startswith("equal  W&B has the history that was logged\n")
    assert "1,200 points in 1 row\n" in text
    assert "2 points that W&B adds for define_metric" in text
    assert "image, table" in text
    assert "Lost" not in text


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("lost", "loss0 at step 1,000: 0.5 was logged"),
        ("changed", "loss0 at step 1,000: 0.5 was logged, W&B has 0.25"),
        ("extra", "loss0 at step 1,000: W&B has 0.25"),
        ("outside", "loss0 at step 1,000: W&B has 0.25"),
    ],
)
def test_a_point_that_differs_is_named_with_its_step(kind: str, sentence: str) -> None:
    text = text_of("different", **{kind: points("0.5", "0.25")})
    assert text.startswith("different  W&B's history is not what was logged\n")
    assert f"{sentence}\n" in text


def test_many_points_are_counted_and_a_long_value_is_cut() -> None:
    text = text_of("different", changed=points("0.5", "x" * 500, count=12))
    assert "Changed  12 points" in text
    assert "loss9 at" in text
    assert "loss10 at" not in text
    assert "and 2 more; --json has all" in text
    assert "x" * 80 in text.replace("\n", "").replace(" ", "")
    assert "x" * 81 not in text.replace("\n", "").replace(" ", "")


def test_what_was_missing_is_said() -> None:
    text = text_of("inconclusive", unknown=("the record has no end",))
    assert text.startswith("inconclusive  W&B's history may not be what was logged\n")
    assert "the record has no end" in text


def test_of_many_keys_that_were_not_compared_some_are_named() -> None:
    text = text_of("equal", not_compared=tuple(f"k{number:02}" for number in range(12)))
    assert "k09 and 2 more" in text
