from __future__ import annotations

import pytest
from pydantic import ValidationError

from wandb_repro.testing.fresh_task import Task
from wandb_repro.testing.target import Target

TARGET = Target(module="m", file="/m.py", name="train", arguments=[1, 0.1], keywords={"a": None})


def task(**options: object) -> Task:
    usual: dict[str, object] = {
        "target": TARGET,
        "search": ["/a"],
        "folder": "/f",
        "who": "me",
        "seed": 2**40,
        "deterministic": None,
    }
    return Task.model_validate({**usual, **options})


def test_a_task_reaches_another_process_unchanged() -> None:
    sent = task(steps=3, checkpoints="/c", goes_on=True)
    assert Task.model_validate_json(sent.model_dump_json()) == sent


def test_by_default_it_trains_to_the_end_alone() -> None:
    plain = task()
    assert (plain.steps, plain.original, plain.kill_after) == (None, "", None)


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="planted"):
        task(planted=1)
