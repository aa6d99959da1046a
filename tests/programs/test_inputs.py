"""Programs with other inputs and results get the verdicts that their heads say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs.program import Program
from tests.programs.trial import missing, tried


@pytest.mark.slow
def test_a_program_gets_its_verdicts(program: Program, tmp_path: Path) -> None:
    if absent := missing(program):
        pytest.skip(f"not installed: {absent}")
    assert tried(program, tmp_path / program.name).faults == ()
