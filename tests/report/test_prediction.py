"""The text of ``check``: what to expect, what blocks it, and what is restored."""

from __future__ import annotations

import pytest

from tests.support.terminal import on_paper
from wandb_repro.report.prediction import prediction_text
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.prediction import Expected, How, Prediction


def blocking(fact: str = "GPUs", effect: str = "changes bits") -> Finding:
    return Finding.model_validate(
        {
            "kind": "accelerator",
            "fact": fact,
            "original": "2",
            "here": "none",
            "effect": effect,
            "sentence": f"{fact}: 2 in the original, none here",
            "cure": "rerun on the original's GPU",
        }
    )


def text_of(
    expected: Expected,
    *findings: Finding,
    how: How = "rerun",
    harmless: tuple[Finding, ...] = (),
    unknown: tuple[str, ...] = (),
) -> str:
    prediction = Prediction.model_validate(
        {
            "original": "ada/digits/a1",
            "how": how,
            "environment": "this one",
            "expected": expected,
            "findings": findings,
            "settled": (),
            "harmless": harmless,
            "unknown": unknown,
        }
    )
    return on_paper(prediction_text(prediction))


def test_a_failed_original_is_said_to_have_failed() -> None:
    prediction = Prediction(
        original="ada/digits/a1",
        how="rerun",
        expected="identical",
        environment="this one",
        findings=(),
        settled=(),
        harmless=(),
        unknown=(),
        failed="TypeError at train.py:9",
    )
    text = on_paper(prediction_text(prediction))
    assert "failed          TypeError at train.py:9; a rerun is compared up to there" in text
    assert "failed" not in text_of("identical")


@pytest.mark.parametrize(
    ("expected", "first_line"),
    [
        ("identical", "bit-identical expected"),
        ("different", "not reproducible here yet"),
        ("perhaps", "perhaps not reproducible here yet"),
        ("unknown", "cannot tell"),
    ],
)
def test_the_first_line_is_the_answer(expected: Expected, first_line: str) -> None:
    assert text_of(expected).splitlines()[0] == first_line


@pytest.mark.parametrize(("how", "words"), [("rerun", "rerun"), ("by hand", "in this shell")])
def test_it_says_how_the_training_would_start(how: How, words: str) -> None:
    (started,) = (line for line in text_of("identical", how=how).splitlines() if "started" in line)

    assert started.endswith(words)


def test_what_blocks_is_listed_with_its_cure_and_empty_parts_are_left_out() -> None:
    text = text_of("different", blocking())

    assert "Blocking  1 finding" in text
    assert "GPUs: 2 in the original, none here" in text
    assert "→ rerun on the original's GPU" in text
    assert "Restored by rerun" not in text
    assert "Unknown" not in text


def test_more_than_ten_findings_are_counted() -> None:
    text = text_of("different", *[blocking(f"fact {number}") for number in range(13)])

    assert "fact 9:" in text
    assert "fact 10:" not in text
    assert "and 3 more; --json has all" in text


def test_a_harmless_fact_is_named_once_and_what_is_unknown_is_listed() -> None:
    kernel = blocking("kernel", "explains")

    text = text_of("unknown", harmless=(kernel, kernel), unknown=("the packages are lost",))

    assert text.count("kernel") == 1
    assert "-  the packages are lost" in text
