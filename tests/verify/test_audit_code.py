"""Reasons in the source files why a run might not run again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.verify.audit_code import audit_code
from wandb_repro.verify.finding import Finding

LEFT_OUT = [{"path": "data/big.npz", "size_bytes": 1, "reason": "larger than 20 MB"}]
READ = [{"path": "data/big.npz", "absolute": "/home/ada/digits/data/big.npz", "size_bytes": 1}]


def audited(changes: dict[str, Any]) -> tuple[Finding, ...]:
    manifest = changed(full_manifest(), {"execution.code.left_out": [], **changes})
    return tuple(audit_code(manifest))


def left_out(reason: str) -> dict[str, Any]:
    return {"execution.code.left_out": [{**LEFT_OUT[0], "reason": reason}]}


REASONS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no code": (
        {"execution.code": absent('code="off"')},
        "stops",
        'The source tree is not recorded: code="off"',
        "",
    ),
    "no bundle": (
        {"execution.code.bundle": absent("the disk was full")},
        "stops",
        "The source tree is not recorded: the disk was full",
        "",
    ),
    "code kept at home": (
        {"execution.code.bundle.kept": "local"},
        "stops",
        "only on the machine that recorded it",
        "rerun on that machine",
    ),
    "a file left out": (
        {"execution.code.left_out": LEFT_OUT},
        "explains",
        "data/big.npz is not in the snapshot: larger than 20 MB",
        "",
    ),
    "a file left out and read": (
        {"execution.code.left_out": LEFT_OUT, "description.inputs": READ},
        "may change bits",
        "data/big.npz is not in the snapshot: larger than 20 MB; the run read it",
        "keep the file where it is",
    ),
    "a file that looks like a secret": (
        left_out("looks like a secret"),
        "explains",
        "data/big.npz is not in the snapshot: looks like a secret",
        "list it in not_secret",
    ),
    "an edited module": (
        {"execution.code.added.edited": ["layers/mine.py"]},
        "may change bits",
        "layers/mine.py changed after the snapshot",
        "without editing files",
    ),
    "a killed run": (
        {"execution.code.added": absent("training"), "ending": absent("the run goes on")},
        "may change bits",
        "outside the snapshot are not known: training",
        "when a run ends normally",
    ),
    "extra files that were not looked for": (
        {"execution.code.added": absent("an older version")},
        "explains",
        "outside the snapshot are not known: an older version",
        "",
    ),
    "a file that is not stored": (
        {"description.inputs": [{**READ[0], "reason": "larger than 10 MB"}]},
        "may change bits",
        "The run used data/big.npz, which is not in the capsule: larger than 10 MB",
        "keep the file where it is",
    ),
}


@pytest.mark.parametrize(("changes", "effect", "sentence", "cure"), REASONS.values(), ids=REASONS)
def test_each_reason_is_said_with_what_to_do(
    changes: dict[str, Any], effect: str, sentence: str, cure: str
) -> None:
    (finding,) = audited(changes)

    assert finding.effect == effect
    assert sentence in finding.sentence
    assert cure in finding.cure


@pytest.mark.parametrize("reason", ["ignored by git", "excluded by [tool.wandb_repro] or code_dir"])
def test_what_the_user_left_out_is_a_reason_only_if_the_run_read_it(reason: str) -> None:
    changes = left_out(reason)

    assert audited(changes) == ()
    (finding,) = audited({**changes, "description.inputs": READ})
    assert finding.effect == "may change bits"


def test_a_file_that_is_left_out_and_not_stored_is_named_once() -> None:
    read = [{**READ[0], "reason": "larger than 10 MB"}]

    (finding,) = audited({"execution.code.left_out": LEFT_OUT, "description.inputs": read})

    assert finding.fact == "file left out"
