from __future__ import annotations

import pytest

from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.report.verdict import verdict_line, verdict_rows
from wandb_repro.verify.distance import Distance, LeafDistance
from wandb_repro.verify.ending_diff import Endings
from wandb_repro.verify.outcome import OutputDifference
from wandb_repro.verify.verdict import Grade, judge


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        ("0.0", "equal at the end; not compared after the first difference"),
        ("1e-07", "relative difference about 1e-07 at the end; largest 1e-07 in k"),
        ("3.0", "relative difference about 3 at the end; largest 3 in k"),
        ("nan", "no distance at the end: k has infinite or NaN elements, or is all 0"),
    ],
)
def test_how_far_apart_the_weights_are_is_said_in_words(apart: str, words: str) -> None:
    leaf = LeafDistance(group="trainable", label="k", apart=apart, size="1.0")
    found = Distance(at="the end", at_end=True, leaves=(leaf,), apart=apart, size="1.0")
    verdict = judge(full_manifest(), trail(), full_manifest(), trail())

    rows = dict(verdict_rows(verdict.model_copy(update={"distance": found})))

    assert rows["weights"] == words


FAILED = "TypeError at train.py:9"
ENDS: dict[str, tuple[Endings, Grade, str, str]] = {
    "both failed": (
        Endings(original=FAILED, rerun=FAILED, alike=True),
        "identical",
        f"up to the failure: both ended with {FAILED}",
        f"both with {FAILED}",
    ),
    "both were interrupted": (
        Endings(original="KeyboardInterrupt", rerun="KeyboardInterrupt", alike=True),
        "identical",
        "up to the interruption: both ended with KeyboardInterrupt",
        "both with KeyboardInterrupt",
    ),
    "both left a fit open": (
        Endings(original="interrupted", rerun="interrupted", alike=True),
        "identical",
        "bit for bit",
        "both interrupted",
    ),
    "the rerun failed": (
        Endings(original="finished", rerun=FAILED, alike=False, rerun_failed=True),
        "inconclusive",
        f"so far equal; the rerun failed with {FAILED}",
        f"the original: finished; the rerun: {FAILED}",
    ),
    "both finished": (
        Endings(original="finished", rerun="finished", alike=True),
        "identical",
        "bit for bit",
        "",
    ),
}


@pytest.mark.parametrize(("endings", "grade", "about", "ended"), ENDS.values(), ids=ENDS)
def test_how_the_runs_ended_is_in_the_first_line_and_a_row(
    endings: Endings, grade: Grade, about: str, ended: str
) -> None:
    judged = judge(full_manifest(), trail(), rerun_manifest(), trail())
    verdict = judged.model_copy(update={"endings": endings, "grade": grade})

    assert verdict_line(verdict) == (grade, about)
    assert dict(verdict_rows(verdict)).get("ended", "") == ended


def test_runs_that_differ_only_in_how_they_ended_are_said_to() -> None:
    ending = OutputDifference(
        what="ending", key="ending", where="", original=FAILED, rerun="finished"
    )
    endings = Endings(original=FAILED, rerun="finished", alike=False)
    judged = judge(full_manifest(), trail(), rerun_manifest(), trail())
    verdict = judged.model_copy(
        update={"grade": "diverged", "outputs": (ending,), "endings": endings}
    )

    assert verdict_line(verdict)[1] == (
        f"in how they ended: the original ended with {FAILED}, the rerun finished; all that "
        "was compared is equal"
    )
    assert "came out" not in dict(verdict_rows(verdict))
