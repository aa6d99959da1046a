from __future__ import annotations

from tests.programs.program import Expected, Program
from tests.programs.table import heading, row, skipped_row
from tests.programs.trial import Got, Trial

PROGRAM = Program(
    *("sum", "loops", "A number is added up", "", "python", "the number"),
    unchanged=Expected("identical"),
    changed=Expected("diverged", ("step 1",)),
)


def test_a_program_that_gets_its_verdicts_has_one_line() -> None:
    line = row(Trial(PROGRAM, Got("identical", 0, ""), Got("diverged", 1, "at step 1")))
    assert line.startswith("holds sum ")
    assert line.endswith("identical     diverged: at step 1")
    assert len(line.splitlines()) == 1


def test_each_fault_has_a_line() -> None:
    line = row(Trial(PROGRAM, Got("diverged", 1, "at step 2"), Got("identical", 0, "")))
    assert line.splitlines()[0].startswith("FAULT sum ")
    assert line.splitlines()[1:] == [
        "      - unchanged: diverged with exit code 1 instead of identical",
        "      - changed: identical with exit code 0 instead of diverged",
    ]


def test_a_program_that_cannot_run_is_named() -> None:
    assert skipped_row(PROGRAM, "torch").endswith("skipped       not installed: torch")


def test_columns_stand_below_their_names() -> None:
    line = row(Trial(PROGRAM, Got("identical", 0, ""), Got("diverged", 1, "at step 1")))
    assert heading().index("unchanged") == line.index("identical")
    assert heading().index("changed: first difference") == line.index("diverged:")


def test_every_text_fits_its_column(program: Program) -> None:
    trial = Trial(program, Got("identical", 0, ""), Got("diverged", 1, "at step 1"))
    assert row(trial).index("diverged:") == heading().index("changed: first difference")
