"""The status of each run of a project: reruns counted, the most urgent first."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, rerun_manifest, trail
from wandb_repro.verify.project_status import (
    RunStatus,
    exit_code_of,
    project_status,
    run_status,
    status_without_record,
)
from wandb_repro.verify.rules import REPRODUCED

GOOD: dict[str, Any] = {
    "run.rerun_of": absent("it repeats no other run"),
    "execution.code.git.dirty": False,
}
LOST = absent("the probe failed: OSError")
KEPT = trail()


def _run(run_id: str, rules: tuple[str, ...] = (), **fields: Any) -> RunStatus:
    changes = {**GOOD, "run.id": run_id, **fields.pop("changes", {})}
    return run_status(f"ada/digits/{run_id}", rerun_manifest(changes), KEPT, rules, **fields)


def _rerun(run_id: str, verdict: str) -> RunStatus:
    return _run(run_id, changes={"run.rerun_of": "ada/digits/one"}, verdict=verdict)


@pytest.mark.parametrize(
    ("attempts", "reruns", "counted"),
    [
        ({}, {}, (0, 0)),
        ({"x": "identical, other CPU"}, {}, (1, 1)),
        ({}, {"two": "identical", "three": "diverged"}, (1, 2)),
        ({"two": "equivalent, same machine"}, {"two": "equivalent"}, (1, 1)),
        ({"x": "inconclusive, same machine", "y": "nonsense"}, {"two": ""}, (0, 0)),
    ],
)
def test_reruns_are_counted_once_written_back_or_not(
    attempts: dict[str, str], reruns: dict[str, str], counted: tuple[int, int]
) -> None:
    rules = (REPRODUCED,)
    runs = [_run("one", rules, attempts=attempts), *(_rerun(*one) for one in reruns.items())]

    (one,) = (run for run in project_status(runs, rules) if run.id == "one")

    assert (one.reproduced, one.attempted) == counted
    assert bool(one.broken) == (counted[0] == 0)
    assert not any(run.broken for run in project_status(runs, rules) if run.rerun_of)


def test_the_most_urgent_run_comes_first() -> None:
    rules = ("clean-tree",)
    runs = [
        _run("good"),
        _run("fatal", changes={"execution.code.bundle": LOST}),
        _run("dirty", rules, changes={"execution.code.git.dirty": True}),
        status_without_record("a/b/torn", rules, name="", state="", why="cut off", recorded=True),
        status_without_record(
            "a/b/plain", rules, name="", state="", why="not by us", recorded=False
        ),
    ]

    order = [run.id for run in project_status(runs, rules)]

    assert order == ["plain", "dirty", "torn", "fatal", "good"]
    assert exit_code_of(runs) == 1
    assert exit_code_of([runs[0], runs[3]]) == 3
    assert exit_code_of(runs[:2]) == 0


@pytest.mark.parametrize(("recorded", "broken"), [(True, {}), (False, {"seed": "nobody looked"})])
def test_a_run_without_a_record_breaks_every_rule_unless_it_only_could_not_be_read(
    recorded: bool, broken: dict[str, str]
) -> None:
    run = status_without_record(
        "run-20260102_030405-a1b2c3d4",
        ("seed",),
        name="",
        state="finished",
        why="nobody looked",
        recorded=recorded,
    )

    assert (run.id, run.broken) == ("a1b2c3d4", broken)
    assert run.repeatable is (None if recorded else False)
    assert run.unread == ("nobody looked" if recorded else "")


def test_a_run_that_a_finding_stops_is_not_repeatable() -> None:
    assert _run("one").repeatable
    assert not _run("one", changes={"execution.command": LOST}).repeatable


def test_a_project_without_runs_breaks_nothing() -> None:
    assert project_status([], (REPRODUCED,)) == ()
    assert exit_code_of([]) == 0
