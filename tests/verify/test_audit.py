"""Why a recorded run might not run again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.data_records import folder_record
from tests.support.records import absent, changed, full_manifest, moments, trail
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Inventory, Logged, Missing, State
from wandb_repro.verify.audit import audit

PLAIN: dict[str, Any] = {"execution.command.redacted": [], "execution.code.left_out": []}


def plain(changes: dict[str, Any] | None = None) -> Manifest:
    """Return a run that nothing is wrong with, but for the changes."""
    return changed(full_manifest(), {**PLAIN, **(changes or {})})


def test_a_whole_record_has_no_finding() -> None:
    assert audit(plain(), trail()) == ()


def folder(**fields: object) -> dict[str, object]:
    """Return the record of a folder that the run read, as JSON."""
    return folder_record(**fields).model_dump(mode="json")


LATE = "description.seeds.generators.3.when"
DETERMINISM = "description.runtime.framework.op_determinism"
NO_GPU = {"description.accelerator.gpus": absent("no driver"), DETERMINISM: False}

REASONS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "command unknown": (
        {"execution.command": absent("a shell started it")},
        "stops",
        "The command is not recorded: a shell started it",
        "",
    ),
    "a credential": (
        {"execution.command.redacted": [3]},
        "explains",
        "Argument 3 was a credential and is not recorded",
        "rerun with --arg 3=VALUE",
    ),
    "many processes": (
        {"execution.world_size": 4},
        "stops",
        "It trained in 4 processes; only runs with one process can be rerun",
        "",
    ),
    "a late seed": (
        {LATE: "after first use"},
        "changes bits",
        "its initial weights cannot be repeated",
        "call wandb_repro.init before building the model",
    ),
    "a random hash seed": (
        {"description.runtime.hash_seed": "random"},
        "explains",
        "PYTHONHASHSEED was not set",
        "wandb-repro run",
    ),
    "no determinism on a GPU": (
        {DETERMINISM: False},
        "changes bits",
        "Op determinism was off",
        "pass deterministic=True to init",
    ),
    "no determinism on a CPU": (NO_GPU, "explains", "Op determinism was off", "deterministic=True"),
    "no fingerprint": (
        {"description.data": absent("fingerprint was not called")},
        "explains",
        "The data has no fingerprint",
        "call wandb_repro.fingerprint(name, x, y)",
    ),
    "a file to fingerprint that is not there": (
        {"description.data.0.digest": absent("x.csv: No such file or directory")},
        "explains",
        "The data 'train' has no fingerprint: x.csv: No such file",
        "",
    ),
    "a folder that was read": (
        {"description.folders": [folder()]},
        "explains",
        "A rerun needs data/ (2 files, 6 bytes) and compares it: it is not stored, because git",
        "keep it in its place, or rerun with --data data=PATH",
    ),
    "a folder at an absolute path": (
        {"description.folders": [folder(absolute="/data/x", path="/data/x")]},
        "explains",
        "A rerun needs /data/x/ (2 files, 6 bytes)",
        "keep it in its place",
    ),
    "a folder that is too large": (
        {"description.folders": [folder(digest=absent("only names and sizes"))]},
        "may change bits",
        "git ignores it; its content is not recorded (only names and sizes)",
        "wandb_repro.fingerprint(name, path='data')",
    ),
    "a folder of downloads": (
        {"description.folders": [folder(absolute="/home/ada/.keras/datasets/x")]},
        "explains",
        "the script downloads it where it is missing",
        "",
    ),
    "no fingerprint but a folder": (
        {
            "description.data": absent("fingerprint was not called"),
            "description.folders": [folder()],
        },
        "explains",
        "A rerun needs data/",
        "",
    ),
}


@pytest.mark.parametrize(("changes", "effect", "sentence", "cure"), REASONS.values(), ids=REASONS)
def test_each_reason_is_said_with_what_to_do(
    changes: dict[str, Any], effect: str, sentence: str, cure: str
) -> None:
    (finding,) = audit(plain(changes), trail())

    assert finding.effect == effect
    assert sentence in finding.sentence
    assert cure in finding.cure


def with_notes(*notes: str) -> Trail:
    """Return a trail whose inventory has these notes."""
    return trail([*moments(), Inventory(things=(), notes=notes)])


UNBUILT = Missing(fit=1, moment="initial", epoch=0, step=0, reason="the model has no variables")
TRAILS: dict[str, tuple[Trail, str, str]] = {
    "no fit": (trail([]), "stops", "No weights were digested: no fit and no loop"),
    "no fit, but rows": (
        trail([Logged(first=1, rows=1, numbers={"loss": "3fe0000000000000"}, texts={})]),
        "is not compared",
        "No weights were digested: no fit and no loop",
    ),
    "no variables": (trail([UNBUILT]), "stops", "No weights were digested: the model has no"),
    "killed": (trail(ended=False), "may change bits", "The record has no end"),
    "a loop that nothing holds": (
        with_notes("the gradients are nobody's"),
        "is not compared",
        "The gr",
    ),
    "not even begun": (Trail((), torn=False), "stops", "No weights were digested"),
}


@pytest.mark.parametrize(("found", "effect", "sentence"), TRAILS.values(), ids=TRAILS)
def test_a_trail_that_proves_too_little_is_a_reason(
    found: Trail, effect: str, sentence: str
) -> None:
    (finding,) = audit(plain(), found)

    assert finding.effect == effect
    assert sentence in finding.sentence


def test_the_state_at_the_end_is_enough_to_compare_a_run() -> None:
    state = State(moment="end", row=0, leaves=("a" * 16,), root="b" * 64)
    assert audit(plain(), trail([state])) == ()


def test_a_run_that_was_killed_says_so_once() -> None:
    killed = plain({"ending": absent("the run goes on")})

    assert len(audit(killed, trail(moments()[:3], ended=False))) == 1


def test_the_heaviest_reason_comes_first() -> None:
    names = ["no fingerprint", "a late seed"]
    changes = {path: value for name in names for path, value in REASONS[name][0].items()}
    changes["execution.code.added.edited"] = ["layers/mine.py"]
    changes["execution.packages"] = absent("no metadata")

    effects = [finding.effect for finding in audit(plain(changes), trail())]

    assert effects == ["stops", "changes bits", "may change bits", "explains"]


def test_a_run_that_failed_is_said_to_have_failed_and_can_be_rerun() -> None:
    failed = plain({"ending": {"status": "failed", "detail": "TypeError", "place": "train.py:9"}})
    (finding,) = audit(failed, trail())
    assert (finding.effect, finding.original) == ("explains", "TypeError at train.py:9")
    assert finding.sentence.startswith("The run failed with TypeError at train.py:9; ")


def test_a_file_that_was_too_large_to_digest_is_not_compared() -> None:
    why = "it holds more than 4.3 GB"
    file = OutputFile(
        place="artifact",
        artifact="big",
        type="model",
        path="big.bin",
        size_bytes=Unavailable(unavailable=why),
        kind="bytes",
        digest=Unavailable(unavailable=why),
    )
    outputs = Outputs(files=(file,), left_out=0).model_dump(mode="json")
    manifest = plain({"description.outputs": outputs})

    (found,) = audit(manifest, trail())

    assert found.effect == "is not compared"
    assert found.sentence.endswith(f"big:v0/big.bin: {why}")
    hidden = changed(manifest, {"description.volatile": ["big.bin"]})
    assert audit(hidden, trail()) == ()
