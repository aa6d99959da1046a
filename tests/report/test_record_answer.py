"""The first line of every report on a run."""

from __future__ import annotations

import pytest

from wandb_repro.report.record_answer import answer
from wandb_repro.verify.finding import Effect, about_one_run


@pytest.mark.parametrize(
    ("effects", "tone", "ending"),
    [
        ([], "good", "can be rerun from what was recorded."),
        (["explains"], "good", "can be rerun from what was recorded."),
        (["is not compared", "explains"], "warn", "but not all of it can be compared."),
        (["is not compared", "may change bits"], "warn", "perhaps not to the same bits."),
        (["may change bits", "explains"], "warn", "perhaps not to the same bits."),
        (["may change bits", "changes bits"], "warn", "but not to the same bits."),
        (["explains", "stops"], "bad", "cannot be rerun from what was recorded."),
    ],
)
def test_the_most_severe_finding_decides(effects: list[Effect], tone: str, ending: str) -> None:
    found = answer([about_one_run("seed", "seed", "", effect, "s", "") for effect in effects])

    assert found.tone == tone
    assert found.sentence.endswith(ending)


def test_findings_are_grouped_by_severity_without_empty_groups() -> None:
    effects: list[Effect] = ["explains", "stops", "explains"]
    found = answer([about_one_run("seed", "seed", "", effect, "s", "") for effect in effects])

    assert [(group.effect, len(group.findings)) for group in found.reasons] == [
        ("stops", 1),
        ("explains", 2),
    ]
