"""The verdict: what makes two runs identical, and what never does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.records import (
    SHAPES,
    changed,
    end,
    full_manifest,
    moment,
    moments,
    rerun_manifest,
    step,
    trail,
)
from wandb_repro.digest import ROOT_ALGORITHM
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Missing, State, Structure, TrailRecord, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.ending_diff import Endings
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.verdict import Verdict, judge


def judged(
    other: Trail,
    *,
    original: Trail | None = None,
    rerun: Manifest | None = None,
    limit: Limit | None = None,
) -> Verdict:
    return judge(full_manifest(), original or trail(), rerun or rerun_manifest(), other, limit)


def test_a_rerun_that_is_equal_at_every_moment_is_identical() -> None:
    verdict = judged(trail())

    assert (verdict.grade, verdict.exit_code, verdict.reasons) == ("identical", 0, ())
    assert (verdict.moments, verdict.digests) == (6, 18)
    assert verdict.final_weights == f"wrepro-root-xxh3-128-1:{trail().weights[-1].root}"
    assert (verdict.original, verdict.rerun) == ("ada/digits/a1b2c3d4", "ada/digits/e5f6a7b8")


def test_a_rerun_that_differs_has_diverged_and_its_causes_are_ranked() -> None:
    other = [*moments()[:2], moment(leaves=("9", "b1", "c1"))]
    rerun = rerun_manifest({"description.runtime.intra_op_threads": 1})

    verdict = judged(trail(other, ended=False), rerun=rerun)

    assert (verdict.grade, verdict.exit_code, verdict.reasons) == ("diverged", 1, ())
    assert verdict.first is not None
    assert verdict.first.leaves[0].label == "dense/kernel"
    assert verdict.causes[0].kind == "threads"


def lost(name: str = "final") -> Missing:
    return Missing.model_validate_json(
        f'{{"fit":1,"moment":"{name}","epoch":3,"step":30,"reason":"read failed"}}'
    )


WHOLE = moments()
DOUBTS: dict[str, tuple[Trail, Trail, str]] = {
    "two empty trails": (Trail((), torn=False), Trail((), torn=False), "no digest of any weights"),
    "an empty rerun": (trail(), Trail((), torn=False), "the rerun has no digest of any weights"),
    "an empty original": (trail([]), trail(), "the original has no digest of any weights"),
    "a model without variables": (
        trail([lost("initial")]),
        trail([lost("initial")]),
        "the original has no digest of any weights: read failed",
    ),
    "nothing in common": (
        trail(WHOLE[:1]),
        trail(WHOLE[2:]),
        "the two trails have no moment in common",
    ),
    "another algorithm": (trail(), trail(algorithm="other"), "the digests cannot be compared"),
    "fewer moments": (trail(), trail(WHOLE[:3]), "no digest of the end of epoch 2, the end of"),
    "initial weights only": (
        trail(WHOLE[:1]),
        trail(WHOLE[:1]),
        "no weights were compared after the first step of training",
    ),
    "an original without its end": (
        trail(ended=False),
        trail(),
        "the original has no end record: it was killed",
    ),
    "a rerun without its end": (trail(), trail(ended=False), "the rerun has no end record"),
    "a torn rerun": (trail(), Trail(trail().records, torn=True), "the rerun has no end record"),
    "an original that was interrupted": (
        trail([*WHOLE, end("interrupted")], ended=False),
        trail(),
        "the original did not finish: it was interrupted; --until-epoch compares its first epochs",
    ),
    "final weights that could not be read": (
        trail([*WHOLE[:-1], lost()]),
        trail([*WHOLE[:-1], lost()]),
        "the original has no digest at final of epoch 3: read failed",
    ),
    "more fits": (
        trail([*WHOLE, end(fits=1)], ended=False),
        trail([*WHOLE, end(fits=2)], ended=False),
        "the original called fit 1 times and the rerun 2 times",
    ),
}


@pytest.mark.parametrize(("original", "other", "why"), DOUBTS.values(), ids=DOUBTS)
def test_too_little_evidence_is_inconclusive(original: Trail, other: Trail, why: str) -> None:
    verdict = judged(other, original=original)

    assert (verdict.grade, verdict.exit_code) == ("inconclusive", 3)
    assert why in verdict.reasons[0]


def test_a_model_that_fit_builds_needs_no_initial_weights() -> None:
    built_late = [lost("initial"), *moments()[1:]]

    assert judged(trail(built_late), original=trail(built_late)).grade == "identical"


def failed_at(place: str, detail: str = "TypeError") -> dict[str, object]:
    return {"ending": {"status": "failed", "detail": detail, "place": place}}


def state_at_end(*leaves: str) -> State:
    shapes = moment(leaves=leaves)
    return State(moment="end", row=0, root=shapes.root, leaves=shapes.leaves)


def failed_trail(records: Sequence[TrailRecord], *leaves: str) -> Trail:
    return trail([*records, state_at_end(*leaves), end("failed")], ended=False)


FAILED = changed(full_manifest(), failed_at("train.py:9"))


def test_runs_that_failed_in_the_same_way_are_identical_up_to_the_failure() -> None:
    stopped = failed_trail(WHOLE[:3], "a1", "b1", "c1")
    verdict = judge(FAILED, stopped, rerun_manifest(failed_at("train.py:9")), stopped)

    assert (verdict.grade, verdict.exit_code, verdict.reasons) == ("identical", 0, ())
    assert verdict.endings == Endings(
        original="TypeError at train.py:9", rerun="TypeError at train.py:9", alike=True
    )


def test_runs_that_failed_differently_have_diverged_in_how_they_ended() -> None:
    stopped = failed_trail(WHOLE[:3], "a1", "b1", "c1")
    other = failed_trail(WHOLE[:3], "a2", "b1", "c1")
    verdict = judge(FAILED, stopped, rerun_manifest(failed_at("train.py:12")), other)

    assert (verdict.grade, verdict.exit_code, verdict.first) == ("diverged", 1, None)
    assert [output.what for output in verdict.outputs] == ["ending"]


def test_a_rerun_that_finishes_where_its_original_failed_has_diverged() -> None:
    stopped = failed_trail(WHOLE[:3], "a1", "b1", "c1")
    verdict = judge(FAILED, stopped, rerun_manifest(), trail())

    assert (verdict.grade, verdict.first) == ("diverged", None)
    assert str(verdict.outputs[0]) == (
        "the original ended with TypeError at train.py:9, the rerun finished"
    )


@pytest.mark.parametrize("original", [None, FAILED])
def test_a_rerun_that_failed_first_is_a_failure_with_the_verdict_so_far(
    original: Manifest | None,
) -> None:
    whole = [*WHOLE, state_at_end("a9", "b9", "c9")]
    ended = end("failed") if original else end()
    stopped = failed_trail(WHOLE[:3], "a1", "b1", "c1")
    verdict = judge(
        original or full_manifest(),
        trail([*whole, ended], ended=False),
        rerun_manifest(failed_at("train.py:9")),
        stopped,
    )

    assert (verdict.grade, verdict.exit_code, verdict.first) == ("inconclusive", 5, None)
    assert verdict.reasons[0].startswith("the rerun failed with TypeError at train.py:9; ")
    assert verdict.last_equal == "the end of epoch 1"
    assert len(verdict.reasons) == 1


def test_what_differs_before_the_rerun_failed_decides() -> None:
    stopped = trail([WHOLE[0], moment(leaves=("9", "b1", "c1")), end("failed")], ended=False)
    verdict = judged(stopped, rerun=rerun_manifest(failed_at("train.py:9")))

    assert (verdict.grade, verdict.exit_code) == ("diverged", 1)


def test_a_part_of_two_runs_says_nothing_about_their_ends() -> None:
    stopped = failed_trail(WHOLE[:3], "a1", "b1", "c1")
    rerun = rerun_manifest(failed_at("train.py:9"))

    assert judged(stopped, rerun=rerun, limit=Limit(epoch=1)).endings is None


def test_a_run_says_nothing_about_itself() -> None:
    verdict = judge(full_manifest(), trail(), full_manifest(), trail())

    assert verdict.grade == "inconclusive"
    assert "both are the same run" in verdict.reasons[0]


COMMANDS: dict[str, dict[str, object]] = {
    "another script": {"execution.command.target": "other.py"},
    "another kind": {"execution.command.kind": "module"},
    "another argument": {"execution.command.arguments.1": "0.2"},
    "an unknown command": {"execution.command": {"unavailable": "started from a shell"}},
}


@pytest.mark.parametrize("form", ["{}/data.csv", "--data={}/data.csv", "{}"])
def test_a_path_below_the_tree_is_the_same_wherever_the_tree_is(form: str) -> None:
    def started(root: str) -> dict[str, object]:
        return {
            "execution.code.root": root,
            "execution.command.arguments": (form.format(root),),
            "execution.command.redacted": (),
        }

    original = changed(full_manifest(), started("/home/ada/digits"))
    rerun = rerun_manifest(started("/rerun/tree/digits"))
    verdict = judge(original, trail(), rerun, trail())

    assert verdict.grade == "identical"


@pytest.mark.parametrize("changes", COMMANDS.values(), ids=COMMANDS)
def test_another_command_is_inconclusive(changes: dict[str, object]) -> None:
    verdict = judged(trail(), rerun=rerun_manifest(changes))

    assert verdict.grade == "inconclusive"
    assert verdict.reasons == ("the rerun was started with another command",)


def test_a_credential_is_no_part_of_the_command() -> None:
    rerun = rerun_manifest({"execution.command.arguments.3": "<another>"})

    assert judged(trail(), rerun=rerun).grade == "identical"


def test_differences_around_it_do_not_make_equal_bits_unequal() -> None:
    rerun = rerun_manifest({"description.runtime.intra_op_threads": 8})

    verdict = judged(trail(), rerun=rerun)

    assert (verdict.grade, verdict.causes) == ("identical", ())


def test_equal_weights_on_other_data_are_not_called_identical() -> None:
    rerun = rerun_manifest({"description.data.0.digest": f"{ROOT_ALGORITHM}:00"})

    verdict = judged(trail(), rerun=rerun)

    assert verdict.grade == "inconclusive"
    assert "the data 'train' differs from the original's fingerprint" in verdict.reasons[0]


def test_data_that_only_one_of_them_fingerprinted_is_a_doubt() -> None:
    verdict = judged(trail(), rerun=rerun_manifest({"description.data": []}))
    assert verdict.grade == "inconclusive"
    assert verdict.reasons == ("the original fingerprinted the data 'train' and the rerun did not",)


def test_equal_weights_on_another_batch_are_not_called_identical() -> None:
    one, two = (
        trail([*WHOLE[:1], step(1, data="d1"), step(2, data=data), WHOLE[-1]])
        for data in ("d2", "d9")
    )

    verdict = judged(two, original=one)

    assert verdict.grade == "diverged"
    assert [str(output) for output in verdict.outputs] == ["the batches at step 2 (epoch 1) differ"]


def test_batches_that_are_counted_from_other_steps_on_are_not_compared() -> None:
    one = trail([*WHOLE[:1], step(1, data="d1"), step(2, data="d2"), WHOLE[-1]])
    two = trail([*WHOLE[:1], step(2, data="d9"), WHOLE[-1]])

    assert judged(one, original=two).grade == "identical"


def test_behind_a_checkpoint_batches_are_counted_from_its_step_on() -> None:
    def recorded(at: int, data: str) -> Trail:
        return trail(
            [
                *([step(at)] if at else []),
                moment(epoch=1, step=3),
                step(5, epoch=1, data=data),
                moment(epoch=2, step=6),
            ]
        )

    def grade(at: int) -> str:
        replayed = trail([step(5, epoch=1, data="d9"), moment(epoch=2, step=6)], ended=False)
        return judged(replayed, original=recorded(at, "d5"), limit=Limit(2, None, 1)).grade

    assert grade(2) == "identical"  # its batches are those of the steps 3 to 5, ours of 4 and 5
    assert grade(3) == "diverged"


def test_a_prefix_needs_no_end() -> None:
    verdict = judged(trail(WHOLE[:3], ended=False), limit=Limit(epoch=1))

    assert (verdict.grade, verdict.scope) == ("identical", "epoch 1")
    assert verdict.final_weights.endswith(WHOLE[2].root)


def test_a_prefix_longer_than_the_training_is_the_whole() -> None:
    verdict = judged(trail(ended=False), limit=Limit(epoch=9))

    assert (verdict.grade, verdict.scope) == ("inconclusive", "")


def test_a_killed_original_can_be_compared_as_far_as_it_came() -> None:
    verdict = judged(
        trail(WHOLE[:3], ended=False),
        original=trail(WHOLE[:3], ended=False),
        limit=Limit(epoch=1),
    )

    assert verdict.grade == "identical"


def test_a_prefix_that_the_rerun_did_not_reach_is_inconclusive() -> None:
    verdict = judged(trail(WHOLE[:3], ended=False), limit=Limit(epoch=2))

    assert verdict.reasons == ("the rerun has no digest of the end of epoch 2",)


def test_what_is_known_from_elsewhere_is_a_cause_too() -> None:
    rebuilt = Finding(
        kind="framework",
        fact="numpy",
        original="2.4.6",
        here="2.4.5",
        effect="changes bits",
        sentence="numpy was rebuilt as 2.4.5",
    )
    other = trail([*WHOLE[:1], moment("step", epoch=0, step=1)])

    verdict = judge(full_manifest(), trail(), rerun_manifest(), other, extra=(rebuilt,))

    assert verdict.causes == (rebuilt,)


def test_a_verdict_is_data() -> None:
    verdict = judged(trail([*WHOLE[:2], moment(leaves=("9", "b1", "c1"))]))

    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def mutated(records: tuple[TrailRecord, ...], chance: random.Random) -> Trail:
    """Return a trail of which one thing about its weights is not as it was."""
    found = list(records)
    place = chance.choice([i for i, one in enumerate(found) if isinstance(one, Weights)])
    weights = found[place]
    assert isinstance(weights, Weights)
    how = chance.choice(["leaf", "root", "swap", "drop", "step", "epoch", "fit", "shape"])
    leaf = chance.randrange(len(weights.leaves))
    if how == "leaf":
        digits = f"{int(weights.leaves[leaf], 16) ^ (1 << chance.randrange(128)):032x}"
        leaves = (*weights.leaves[:leaf], digits, *weights.leaves[leaf + 1 :])
        found[place] = weights.model_copy(update={"leaves": leaves})
    elif how == "root":
        found[place] = weights.model_copy(update={"root": f"{chance.getrandbits(128):032x}"})
    elif how == "swap":
        leaves = (weights.leaves[1], weights.leaves[0], *weights.leaves[2:])
        found[place] = weights.model_copy(update={"leaves": leaves})
    elif how == "drop":
        del found[place]
    elif how == "shape":
        shape = SHAPES[leaf].model_copy(update={"dtype": "float64x"})
        found[1] = Structure(fit=1, leaves=(*SHAPES[:leaf], shape, *SHAPES[leaf + 1 :]))
    else:
        found[place] = weights.model_copy(update={how: getattr(weights, how) + 1})
    return Trail(tuple(found), torn=False)


def test_of_a_thousand_mutated_trails_none_is_called_identical() -> None:
    chance = random.Random(0)  # noqa: S311 - the same thousand every time
    records = tuple(trail().records)

    grades = {judged(mutated(records, chance)).grade for _ in range(1000)}

    assert grades == {"diverged", "inconclusive"}


def test_a_run_outside_a_project_is_called_by_what_is_known() -> None:
    original = changed(full_manifest(), {"run.entity": {"unavailable": "offline"}})

    assert judge(original, trail(), rerun_manifest(), trail()).original == "digits/a1b2c3d4"


def saving(id: str, file: OutputFile) -> Manifest:  # noqa: A002 - of a run
    manifest = full_manifest()
    description = manifest.description.model_copy(update={"outputs": Outputs(files=(file,))})
    run = manifest.run.model_copy(update={"id": id})
    return manifest.model_copy(update={"description": description, "run": run})


SAVED = OutputFile(
    place="disk", path="m.keras", size_bytes=1, kind="keras", digest="a:1", parts={"w": "1"}
)


@pytest.mark.parametrize(
    ("changes", "grade", "evidence"),
    [
        ({}, "identical", ()),
        ({"digest": "a:2", "parts": {"w": "2"}}, "diverged", ()),
        (
            {"digest": Unavailable(unavailable="it was deleted")},
            "inconclusive",
            ("not compared: m.keras: it was deleted",),
        ),
    ],
)
def test_the_files_that_a_run_saved_decide_too(
    changes: dict[str, Any], grade: str, evidence: tuple[str, ...]
) -> None:
    rerun = saving("two", SAVED.model_copy(update=changes))
    verdict = judge(saving("one", SAVED), trail(), rerun, trail())
    assert (verdict.grade, verdict.reasons) == (grade, evidence)
    assert verdict.covers.files == (0 if evidence else 1)
    assert [str(output) for output in verdict.outputs] == (
        ["file m.keras at w: 1 in the original, 2 in the rerun"] if grade == "diverged" else []
    )
