"""Which difference most likely did it."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.records import changed, full_manifest, rerun_manifest
from tests.verify.test_manifest_diff import APART, FACTS
from wandb_repro.verify.causes import rank
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.first_cause import CauseKind, FirstCause
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.weights_diff import FirstDifference, Stage

STAGES: list[Stage] = ["initial", "first steps", "later"]


def first(stage: Stage) -> FirstDifference:
    return FirstDifference(
        fit=1,
        moment="initial" if stage == "initial" else "step",
        epoch=0,
        step={"initial": 0, "first steps": 1, "later": 50}[stage],
        what="",
        stage=stage,
        leaves=(),
        of_leaves=3,
        last_equal="",
    )


def ranked(stage: Stage, *names: str, original: dict[str, Any] | None = None) -> list[Finding]:
    recorded = changed(full_manifest(), original or {})
    changes = {FACTS[name][0]: FACTS[name][1] for name in names}
    rerun = rerun_manifest({**(original or {}), **changes})
    return list(rank(differences(recorded, rerun), first(stage), recorded))


LIKELIEST: list[tuple[Stage, list[str], str]] = [
    ("initial", ["seed", "tree", "threads", "kernel"], "seed"),
    ("initial", ["tree", "threads", "data"], "source tree"),
    ("initial", ["Keras", "threads"], "keras"),
    ("initial", ["config", "driver"], "config.lr"),
    ("first steps", ["threads"], "intra-op threads"),
    ("first steps", ["threads", "host", "kernel", "a package"], "intra-op threads"),
    ("first steps", ["threads", "seed", "tree"], "intra-op threads"),
    ("first steps", ["data", "threads"], "data 'train'"),
    ("first steps", ["instruction sets", "a package"], "instruction sets"),
    ("first steps", ["Keras", "a package"], "keras"),
    ("first steps", ["determinism", "a package"], "op determinism"),
    ("first steps", ["jit", "processor"], "jit_compile"),
    ("first steps", ["tree", "a package"], "source tree"),
    ("first steps", ["GPU", "driver"], "GPUs"),
    ("later", ["determinism", "threads"], "op determinism"),
    ("later", ["GPU", "threads"], "GPUs"),
    ("later", ["tree", "seed"], "source tree"),
    ("later", ["seed"], "seed"),
]


@pytest.mark.parametrize(("stage", "names", "likeliest"), LIKELIEST)
def test_the_likeliest_cause_comes_first(stage: Stage, names: list[str], likeliest: str) -> None:
    assert ranked(stage, *names)[0].fact == likeliest


def test_one_thread_is_cured_by_the_recorded_number() -> None:
    cause = ranked("first steps", "threads")[0]

    assert cause.sentence == "intra-op threads: 2 in the original, 1 here"
    assert cause.cure == "set TF_NUM_INTRAOP_THREADS=2"


OFF = {"description.runtime.framework.op_determinism": False}


@pytest.mark.parametrize("stage", ["first steps", "later"])
def test_with_no_difference_an_operation_does_not_repeat_itself(stage: Stage) -> None:
    (cause,) = ranked(stage, original=OFF)

    assert cause.kind == "determinism"
    assert "is not deterministic, and op determinism was off" in cause.sentence
    assert cause.cure == "pass deterministic=True to init and record the run again"


def test_with_determinism_on_it_is_the_input_pipeline() -> None:
    (cause,) = ranked("later")

    assert cause.cure == "look for a random generator that parallel workers share"


def test_a_package_that_hardly_matters_does_not_hide_it() -> None:
    causes = ranked("later", "a package", original=OFF)

    assert [cause.kind for cause in causes] == ["determinism", "package"]


def test_a_difference_that_is_known_to_change_bits_makes_it_unlikely() -> None:
    assert len(ranked("first steps", "threads", original=OFF)) == 1


def test_a_seed_set_too_late_explains_initial_weights() -> None:
    late = {"description.seeds.generators.3.when": "after first use"}

    cause = ranked("initial", "a package", original=late)[0]

    assert "after tensorflow had been used" in cause.sentence
    assert cause.cure == "call wandb_repro.init before building a model"


def test_initial_weights_that_nothing_explains_have_no_cause() -> None:
    assert ranked("initial") == []


EXPLAINING = sorted(name for name, fact in FACTS.items() if fact[3] == "explains")


@pytest.mark.parametrize("stage", STAGES)
def test_what_changes_no_bits_is_no_cause(stage: Stage) -> None:
    causes = ranked(stage, *EXPLAINING)

    assert {cause.kind for cause in causes} <= {"determinism"}


@given(st.sampled_from(STAGES), st.sets(st.sampled_from(APART)))
def test_the_causes_are_all_that_can_change_bits_and_nothing_else(
    stage: Stage, names: set[str]
) -> None:
    causes = ranked(stage, *names)

    able = {name for name in names if FACTS[name][3] != "explains"}
    assert all(cause.effect != "explains" for cause in causes)
    assert len(able) <= len(causes) <= len(able) + 1


MOVED: list[CauseKind] = ["initial state", "state", "data", "loss", "weights", "not known"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("what", MOVED)
def test_no_difference_that_cannot_change_bits_is_above_one_that_can_in_any_pair(
    stage: Stage, what: CauseKind
) -> None:
    for can, cannot in itertools.product(CHANGING, EXPLAINING):
        changes = {FACTS[name][0]: FACTS[name][1] for name in (can, cannot)}
        found = differences(full_manifest(), rerun_manifest(changes))
        moved = FirstCause(what=what, sentence="")
        causes = rank(found, first(stage), full_manifest(), moved)
        facts = {one.fact for one in found if one.effect == "explains"}
        assert not facts & {cause.fact for cause in causes}, (can, cannot)
        assert {cause.fact for cause in causes}, (can, cannot)


CHANGING = sorted(name for name, fact in FACTS.items() if fact[3] == "changes bits")


PATHS = sorted({fact[0] for fact in FACTS.values()})
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**6),
    st.text("abc019. -", max_size=12),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(STAGES),
    st.sampled_from(MOVED),
    st.dictionaries(st.sampled_from(PATHS), ANYTHING, min_size=1, max_size=6),
)
def test_whatever_differs_what_cannot_change_bits_is_never_above_what_can(
    stage: Stage, what: CauseKind, changes: dict[str, Any]
) -> None:
    rerun = rerun_manifest()
    for path, value in changes.items():
        with contextlib.suppress(ValueError):  # no such value can be recorded there
            rerun = changed(rerun, {path: value})
    found = differences(full_manifest(), rerun)
    causes = rank(found, first(stage), full_manifest(), FirstCause(what=what, sentence=""))

    cannot = {one.fact for one in found if one.effect == "explains"}
    can = {one.fact for one in found if one.effect != "explains"}
    told = [cause.fact for cause in causes]
    assert not cannot & set(told)
    assert can <= set(told)
    for cause in causes:
        assert cause.cure, cause


@pytest.mark.parametrize("what", MOVED)
@pytest.mark.parametrize("name", sorted(set(FACTS) - set(EXPLAINING)))
def test_every_cause_says_what_would_settle_it(name: str, what: CauseKind) -> None:
    found = differences(full_manifest(), rerun_manifest({FACTS[name][0]: FACTS[name][1]}))

    causes = rank(found, first("first steps"), full_manifest(), FirstCause(what=what, sentence=""))

    assert causes
    assert all(cause.cure for cause in causes), causes
