"""What is read of a run's files has an end."""

from __future__ import annotations

import pytest

from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.errors import DigestError


def test_each_file_has_the_bytes_to_itself() -> None:
    budget = OutputBudget(file_bytes=10)
    for _ in range(3):
        budget.begin_file(8)
        budget.take(10)
    with pytest.raises(DigestError, match="holds more than"):
        budget.take(1)


def test_a_file_that_is_too_large_is_not_begun() -> None:
    with pytest.raises(DigestError, match=r"more than 4\.3 GB"):
        OutputBudget().begin_file(5 << 30)


def test_all_files_share_the_time() -> None:
    budget = OutputBudget(seconds=-1)
    with pytest.raises(DigestError, match="took longer than -1 s"):
        budget.begin_file(1)


def test_the_parts_of_a_file_are_counted() -> None:
    budget = OutputBudget(members=2)
    budget.take_member()
    budget.take_member()
    with pytest.raises(DigestError, match="more than 2 parts"):
        budget.take_member()
