"""A rerun never takes over the identity of the run that its script names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from wandb_repro.recording.wandb_run import Run, next_step, of_its_own


@pytest.mark.parametrize("name", ["id", "resume", "fork_from", "resume_from"])
def test_what_names_or_continues_a_run_is_left_out(name: str) -> None:
    assert of_its_own({name: "abc", "project": "p"}) == {"project": "p", "job_type": "rerun"}


def test_the_job_type_is_that_of_a_rerun_whatever_the_script_says() -> None:
    assert of_its_own({"job_type": "train"}) == {"job_type": "rerun"}


def test_a_dict_of_settings_names_no_run_either() -> None:
    given = {"settings": {"run_id": "abc", "resume": "must", "console": "off"}}
    assert of_its_own(given)["settings"] == {"console": "off"}


def test_settings_are_copied_before_they_name_no_run() -> None:
    script = SimpleNamespace(run_id="abc", resume="allow", console="off")
    mine = of_its_own({"settings": script})["settings"]
    assert (mine.run_id, mine.resume, mine.console) == (None, None, "off")
    assert script.run_id == "abc"


class _Shared:
    """A run in W&B's shared mode."""

    @property
    def step(self) -> int:
        raise NotImplementedError("only the server knows it")


def test_the_next_step_is_known_unless_w_and_b_does_not_know_it() -> None:
    assert next_step(cast("Run", SimpleNamespace(step=5))) == 5
    assert next_step(cast("Run", SimpleNamespace())) is None
    assert next_step(cast("Run", _Shared())) is None
