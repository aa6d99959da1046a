from __future__ import annotations

from dataclasses import replace

import pytest

from tests.programs.program import Expected, all_programs
from tests.programs.trial import Got, missing

EXPECTED = Expected("diverged", ("step 1",))


@pytest.mark.parametrize(
    ("got", "fault"),
    [
        (Got("diverged", 1, "at step 1 (epoch 1)"), ""),
        (Got("diverged", 1, "at step 2 (epoch 1)"), "'step 1' is not named"),
        (Got("identical", 0, ""), "identical with exit code 0 instead of diverged"),
        (Got("diverged", 0, "at step 1"), "diverged with exit code 0 instead of diverged"),
        (Got("none", 5, "ValueError"), "none with exit code 5"),
    ],
)
def test_a_verdict_is_compared_with_what_is_expected(got: Got, fault: str) -> None:
    assert got.fault(EXPECTED).startswith(fault)
    assert bool(got.fault(EXPECTED)) == bool(fault)


def test_modules_that_are_not_installed_are_named() -> None:
    program = replace(all_programs()[0], needs=("json", "no_such_module"))
    assert missing(program) == "no_such_module"
