from __future__ import annotations

import pytest

from wandb_repro.verify.history_verdict import Grade, HistoryVerdict, Points


@pytest.mark.parametrize(("grade", "code"), [("equal", 0), ("different", 1), ("inconclusive", 3)])
def test_the_exit_code_is_that_of_the_grade(grade: Grade, code: int) -> None:
    verdict = HistoryVerdict(
        run="ada/digits/k3v9",
        grade=grade,
        rows=1,
        equal=1,
        repeated=0,
        lost=Points(),
        changed=Points(),
        extra=Points(),
        outside=Points(),
        not_compared=(),
        unknown=(),
    )
    assert verdict.exit_code == code
