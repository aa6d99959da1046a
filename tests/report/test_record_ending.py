from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest, moments, trail
from wandb_repro.report.record_ending import ending_text

CTRL_C = {"status": "interrupted", "detail": "KeyboardInterrupt", "place": "train.py:9"}


def text(ending: Any, left_in: int | None = None, **fields: Any) -> str:
    """Return the text of an ending; ``left_in``: the epoch in which the training was left."""
    records = moments() if left_in is None else moments(left_in - 1)[:-1]
    changes = {"ending": ending, **{name.replace("__", "."): it for name, it in fields.items()}}
    return ending_text(changed(full_manifest(), changes), trail(records))


def test_a_run_that_finished_says_no_more() -> None:
    assert text({"status": "finished"}) == "finished"
    assert text({"status": "finished"}, left_in=2) == "finished"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (CTRL_C, "stopped by Ctrl-C in epoch 3 of 3 at train.py:9"),
        ({**CTRL_C, "place": ""}, "stopped by Ctrl-C in epoch 3 of 3"),
        (
            {"status": "failed", "detail": "TypeError", "place": "train.py:9"},
            "failed: TypeError at train.py:9 in epoch 3 of 3",
        ),
        ({"status": "interrupted"}, "interrupted in epoch 3 of 3"),
    ],
)
def test_a_training_that_was_left_says_in_which_epoch(ending: Any, expected: str) -> None:
    assert text(ending, left_in=3) == expected


def test_after_the_training_no_epoch_is_named() -> None:
    assert text(CTRL_C) == "stopped by Ctrl-C at train.py:9"


def test_without_the_planned_epochs_only_the_one_is_named() -> None:
    for arguments in (absent("it has none"), {"epochs": 1}, {}):
        said = text(CTRL_C, left_in=3, description__fits__0__arguments=arguments)
        assert said == "stopped by Ctrl-C in epoch 3 at train.py:9"
    assert " of " not in text(CTRL_C, left_in=3, description__fits=absent("no"))


def test_a_run_without_an_ending_says_why() -> None:
    assert text(absent("it still runs")) == "not known: it still runs"
