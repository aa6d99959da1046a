"""A finding: what it may say, and one about a single run."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wandb_repro.verify.finding import Finding, about_one_run

FIELDS: dict[str, str] = {
    "kind": "threads",
    "fact": "intra-op threads",
    "original": "2",
    "here": "1",
    "effect": "changes bits",
    "sentence": "intra-op threads: 2 in the original, 1 here",
}


def test_a_finding_about_one_run_has_no_other_value() -> None:
    finding = about_one_run("seed", "seed", "7", "changes bits", "It came late", "call init first")

    assert (finding.original, finding.here) == ("7", "")
    assert (finding.sentence, finding.cure) == ("It came late", "call init first")


def test_a_finding_without_a_cure_has_nothing_to_do() -> None:
    assert Finding.model_validate(FIELDS).cure == ""


@pytest.mark.parametrize(("field", "value"), [("kind", "weather"), ("effect", "ruins everything")])
def test_a_kind_or_an_effect_that_does_not_exist_is_refused(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Finding.model_validate({**FIELDS, field: value})


def test_a_finding_is_a_value_that_never_changes() -> None:
    finding = Finding.model_validate(FIELDS)

    assert finding == Finding.model_validate(FIELDS)
    with pytest.raises(ValidationError, match="frozen"):
        finding.cure = "another"
