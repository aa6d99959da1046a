"""Each rule holds for a run that has what it requires, and for no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, rerun_manifest, trail
from wandb_repro.errors import UsageError
from wandb_repro.verify.audit import audit
from wandb_repro.verify.project_status import (
    RunStatus,
    exit_code_of,
    project_status,
    run_status,
    status_without_record,
)
from wandb_repro.verify.rules import REPRODUCED, RULES, broken_rules, check_rules

GOOD: dict[str, Any] = {
    "run.rerun_of": absent("it repeats no other run"),
    "execution.code.git.dirty": False,
    "execution.code.git.pushed": True,
}
LOST = absent("the probe failed: OSError")
KEPT = trail()

BREAKS: list[tuple[str, dict[str, Any], str]] = [
    ("seed", {"execution.seed": LOST, "description.seeds": LOST}, "no seed is recorded"),
    ("seed", {"description.seeds.generators.0.when": "after first use"}, "after a model was built"),
    ("clean-tree", {"execution.code.git.dirty": True}, "uncommitted"),
    ("clean-tree", {"execution.code.git.dirty": LOST}, "the probe failed"),
    ("clean-tree", {"execution.code.git": LOST}, "the probe failed"),
    ("clean-tree", {"execution.code": LOST}, "not recorded"),
    ("pushed", {"execution.code.git.pushed": False}, "not pushed"),
    ("pushed", {"execution.code.git.pushed": LOST}, "not known"),
    ("data-fingerprints", {"description.data": LOST}, "no fingerprint"),
    ("data-fingerprints", {"description.data": []}, "no fingerprint"),
    ("data-fingerprints", {"description.data.0.digest": LOST}, "no fingerprint"),
    ("deterministic", {"description.runtime.framework.op_determinism": False}, "off"),
    ("deterministic", {"description.runtime": LOST}, "not known"),
    ("code", {"execution.code.bundle": LOST}, "not recorded"),
    ("packages", {"execution.packages": LOST}, "not recorded"),
    ("finished", {"ending": LOST}, "no end record"),
    ("finished", {"ending.status": "failed"}, "it failed"),
    ("repeatable", {"execution.command": LOST}, "not recorded"),
]


def _broken(rule: str, changes: dict[str, Any]) -> dict[str, str]:
    manifest = rerun_manifest({**GOOD, **changes})
    return broken_rules([rule], manifest, audit(manifest, KEPT))


@pytest.mark.parametrize("rule", sorted({rule for rule, _, _ in BREAKS}))
def test_a_run_with_everything_keeps_a_rule(rule: str) -> None:
    assert _broken(rule, {"description.runtime.framework.op_determinism": True}) == {}


@pytest.mark.parametrize(("rule", "changes", "why"), BREAKS)
def test_a_rule_is_broken_by_what_is_missing_and_by_what_is_not_known(
    rule: str, changes: dict[str, Any], why: str
) -> None:
    assert why in _broken(rule, changes)[rule]


def test_weights_are_required_of_the_trail() -> None:
    manifest, empty = rerun_manifest(GOOD), trail([], ended=False)

    assert "weights" in broken_rules(["weights"], manifest, audit(manifest, empty))
    assert not broken_rules(["weights"], manifest, audit(manifest, KEPT))


def test_every_rule_is_tested_here() -> None:
    assert {rule for rule, _, _ in BREAKS} | {"weights", REPRODUCED} == set(RULES)


def test_a_rule_that_is_none_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="No rule 'seeds'"):
        check_rules(["seed", "seeds"])
    assert check_rules(["seed", "code", "seed"]) == ("seed", "code")


def _run(run_id: str, rules: tuple[str, ...] = (), **told: Any) -> RunStatus:
    changes = {**GOOD, "run.id": run_id, **told.pop("changes", {})}
    return run_status(f"ada/digits/{run_id}", rerun_manifest(changes), KEPT, rules, **told)


def _rerun(run_id: str, verdict: str) -> RunStatus:
    return _run(run_id, changes={"run.rerun_of": "ada/digits/one"}, verdict=verdict)


@pytest.mark.parametrize(
    ("attempts", "reruns", "told"),
    [
        ({}, {}, (0, 0)),
        ({"x": "identical, other CPU"}, {}, (1, 1)),
        ({}, {"two": "identical", "three": "diverged"}, (1, 2)),
        ({"two": "equivalent, same machine"}, {"two": "equivalent"}, (1, 1)),
        ({"x": "inconclusive, same machine", "y": "nonsense"}, {"two": ""}, (0, 0)),
    ],
)
def test_reruns_are_counted_once_written_back_or_not(
    attempts: dict[str, str], reruns: dict[str, str], told: tuple[int, int]
) -> None:
    rules = (REPRODUCED,)
    runs = [_run("one", rules, attempts=attempts), *(_rerun(*one) for one in reruns.items())]

    (one,) = (run for run in project_status(runs, rules) if run.id == "one")

    assert (one.reproduced, one.attempted) == told
    assert bool(one.broken) == (told[0] == 0)
    assert not any(run.broken for run in project_status(runs, rules) if run.rerun_of)


def test_what_is_to_be_mended_first_comes_first() -> None:
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

    told = [run.id for run in project_status(runs, rules)]

    assert told == ["plain", "dirty", "torn", "fatal", "good"]
    assert exit_code_of(runs) == 1
    assert exit_code_of([runs[0], runs[3]]) == 3
    assert exit_code_of(runs[:2]) == 0
