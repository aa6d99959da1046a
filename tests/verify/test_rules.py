"""Each rule holds for a run that has what it requires, and for no other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, rerun_manifest, trail
from wandb_repro.errors import UsageError
from wandb_repro.verify.audit import audit
from wandb_repro.verify.rules import REPRODUCED, RULES, broken_rules, check_rules

GOOD: dict[str, Any] = {
    "run.rerun_of": absent("it is not a rerun"),
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
