"""Which runs a process made before this one, and what a rerun makes of them."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wandb_repro.manifest.manifest import Execution
from wandb_repro.recording.earlier_runs import SCRIPTS_OWN, comes_before, seed_of, seeds_before

SEEDINGS = cast("Any", [SimpleNamespace(seed=5), SimpleNamespace(seed=None)])


def execution(*earlier: object, seed: object = "7") -> Execution:
    return cast("Execution", SimpleNamespace(earlier_seeds=earlier, seed=seed))


def run(sweep_id: str | None = None) -> Any:
    return SimpleNamespace(sweep_id=sweep_id)


def test_the_seeds_before_are_text_in_their_order_or_the_scripts_own() -> None:
    assert seeds_before(run(), SEEDINGS) == ("5", SCRIPTS_OWN)


@pytest.mark.parametrize(("running", "seeds"), [(True, ("5", SCRIPTS_OWN)), (False, ())])
def test_a_run_of_a_sweep_has_runs_before_it_only_in_the_agents_process(
    monkeypatch: pytest.MonkeyPatch, *, running: bool, seeds: tuple[object, ...]
) -> None:
    agent = SimpleNamespace(is_running=lambda: running)
    monkeypatch.setitem(sys.modules, "wandb.agents.pyagent", cast("Any", agent))
    assert seeds_before(run("s1"), SEEDINGS) == seeds


def test_a_run_of_a_sweep_without_an_agent_has_none_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "wandb.agents.pyagent", raising=False)
    assert seeds_before(run("s1"), SEEDINGS) == ()


def test_runs_come_before_until_as_many_began_as_in_the_original() -> None:
    two = execution("5", "6")
    assert [comes_before(two, begun) for begun in range(4)] == [True, True, False, False]


def test_each_run_has_the_seed_of_its_place_and_later_ones_that_of_the_repeated_run() -> None:
    three = execution("5", SCRIPTS_OWN)
    assert [seed_of(three, begun) for begun in range(4)] == [5, None, 7, 7]


def test_a_repeated_run_with_the_scripts_own_seeds_is_given_none() -> None:
    assert seed_of(execution(seed=SCRIPTS_OWN), 0) is None
