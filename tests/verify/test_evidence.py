"""Reasons why equal digests do not prove two runs identical."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.records import (
    absent,
    changed,
    end,
    full_manifest,
    moments,
    rerun_manifest,
    trail,
)
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Missing
from wandb_repro.verify.evidence import Side, reasons_inconclusive, reasons_not_comparable
from wandb_repro.verify.trail_diff import compare

ORIGINAL = Side("the original", full_manifest(), trail())
RERUN = Side("the rerun", rerun_manifest(), trail())
EQUAL = compare(trail(), trail())


def with_trail(side: Side, other: Trail) -> Side:
    return side._replace(trail=other)


def test_two_whole_runs_of_one_command_leave_no_doubt() -> None:
    assert reasons_inconclusive(ORIGINAL, RERUN, EQUAL, whole=True) == ()


def test_runs_that_do_not_say_how_they_ended_leave_a_doubt_each() -> None:
    one = with_trail(ORIGINAL, trail([*moments(), end("interrupted")], ended=False))
    two = with_trail(RERUN, trail(ended=False))

    assert reasons_not_comparable(one, two, whole=True) == (
        "the original did not finish: it was interrupted; --until-epoch compares its first epochs",
        "the rerun has no end record: it was killed or is still running; "
        "--until-epoch compares its first epochs",
    )


def test_a_failure_before_any_digest_is_said_to_be_one() -> None:
    failed = {"ending": {"status": "failed", "detail": "KeyError", "place": "train.py:3"}}
    empty = trail([end("failed")], ended=False)
    one = Side("the original", changed(full_manifest(), failed), empty)
    two = Side("the rerun", rerun_manifest(failed), empty)

    reasons = reasons_inconclusive(one, two, compare(empty, empty), whole=True)

    assert reasons == ("both ended with KeyError at train.py:3 before any weights were digested",)


def test_the_names_of_missing_moments_are_cut_after_three() -> None:
    found = replace(EQUAL, absent=("a", "b", "c", "d", "e"))

    (reason,) = reasons_inconclusive(ORIGINAL, RERUN, found, whole=True)

    assert reason == "the rerun has no digest of a, b, c and 2 more"


def test_a_part_of_two_trainings_needs_neither_their_ends_nor_every_moment() -> None:
    lost = Missing(fit=1, moment="epoch", epoch=3, step=30, reason="read failed")
    one = with_trail(ORIGINAL, trail([*moments(), lost], ended=False))
    two = with_trail(RERUN, trail([*moments(), end("failed", fits=2)], ended=False))

    assert reasons_not_comparable(one, two, whole=False) == ()
    assert reasons_not_comparable(one, two, whole=True) == (
        "the rerun failed with an error; the original has no end record",
        "the original has no digest at epoch of epoch 3: read failed",
    )


def test_a_model_that_fit_builds_has_no_initial_weights_to_digest() -> None:
    unbuilt = Missing(fit=1, moment="initial", epoch=0, step=0, reason="not built yet")
    one = with_trail(ORIGINAL, trail([unbuilt, *moments()[1:]]))

    assert reasons_not_comparable(one, RERUN, whole=True) == ()


@pytest.mark.parametrize(("here", "same"), [(absent("a shell"), True), (None, False)])
def test_two_unknown_commands_are_not_held_to_differ(
    here: dict[str, str] | None, same: bool
) -> None:
    unknown = changed(full_manifest(), {"execution.command": absent("a shell")})
    changes = {"execution.command": here} if here else {}
    rerun = RERUN._replace(manifest=rerun_manifest(changes))

    reasons = reasons_not_comparable(ORIGINAL._replace(manifest=unknown), rerun, whole=True)

    assert reasons == (() if same else ("the rerun was started with another command",))


def test_data_is_compared_by_name_where_both_have_the_name() -> None:
    def reasons(changes: dict[str, object]) -> tuple[str, ...]:
        two = RERUN._replace(manifest=rerun_manifest(changes))
        return reasons_inconclusive(ORIGINAL, two, EQUAL, whole=True)

    (reason,) = reasons({"description.data.0.digest": "wrepro-root-xxh3-128-1:00"})

    assert reason.startswith("the weights are equal, but the data 'train' differs")
    assert reasons({"description.data.0.name": "another"}) == (
        "the original fingerprinted the data 'train' and the rerun did not",
        "the rerun fingerprinted the data 'another' and the original did not",
    )
    (reason,) = reasons({"description.data": absent("not fingerprinted")})
    assert reason == "the original fingerprinted the data 'train' and the rerun did not"


def with_data(side: Side, *digests: str, name: str = "part") -> Side:
    description = side.manifest.description
    assert not isinstance(description.data, Unavailable)
    (known,) = description.data
    data = tuple(known.model_copy(update={"name": name, "digest": each}) for each in digests)
    description = description.model_copy(update={"data": data})
    return side._replace(manifest=side.manifest.model_copy(update={"description": description}))


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ("ab", "ab", ""),
        ("ab", "cb", "the weights are equal, but the data 'part' differs from the original's "),
        ("ab", "ba", "the weights are equal, but the data 'part' differs from the original's "),
        ("ab", "a", "the original fingerprinted the data 'part' a second time and the rerun did "),
        ("ab", "abc", "the rerun fingerprinted the data 'part' a third time and the original did "),
        ("", "a", "the rerun fingerprinted the data 'part' and the original did not"),
    ],
)
def test_a_name_used_twice_is_two_parts_compared_by_order(
    one: str, two: str, expected: str
) -> None:
    sides = with_data(ORIGINAL, *one), with_data(RERUN, *two)
    reasons = reasons_inconclusive(*sides, EQUAL, whole=True)
    assert len(reasons) == bool(expected)
    assert "".join(reasons).startswith(expected)


def test_a_rerun_that_was_stopped_may_lack_later_fingerprints() -> None:
    sides = with_data(ORIGINAL, "a", "b"), with_data(RERUN, "a")
    assert reasons_inconclusive(*sides, EQUAL, whole=False) == ()
    sides = with_data(ORIGINAL, "a"), with_data(RERUN, "b")
    assert len(reasons_inconclusive(*sides, EQUAL, whole=False)) == 1


def test_what_a_fit_trained_on_is_no_fingerprint() -> None:
    # It is measured within a time limit: one of two equal runs may lack it.
    sides = with_data(ORIGINAL, "a", name="training of fit 2"), with_data(RERUN)
    assert reasons_inconclusive(*sides, EQUAL, whole=True) == ()


def test_data_that_could_not_be_read_is_not_said_to_differ() -> None:
    unread = Unavailable(unavailable="/here/nope.csv is not there")
    original, rerun = with_data(ORIGINAL, "a"), with_data(RERUN, "a")
    description = rerun.manifest.description
    assert not isinstance(description.data, Unavailable)
    data = tuple(part.model_copy(update={"digest": unread}) for part in description.data)
    description = description.model_copy(update={"data": data})
    rerun = rerun._replace(manifest=rerun.manifest.model_copy(update={"description": description}))

    assert reasons_inconclusive(original, rerun, EQUAL, whole=True) == (
        "the data 'part' could not be compared: not both runs digested it",
    )
