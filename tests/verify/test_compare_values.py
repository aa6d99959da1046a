"""Two values of one fact."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Dataset
from wandb_repro.verify.compare_values import (
    both_are,
    both_recorded,
    differ,
    differ_in,
    digests_by_name,
    digests_in_order,
    recorded,
    text,
)
from wandb_repro.verify.finding import Finding

LOST = Unavailable(unavailable="no NVML")


@pytest.mark.parametrize(
    ("value", "words"),
    [(True, "on"), (False, "off"), (None, "not set"), ((), "none"), (("a", 1), "a, 1"), (2, "2")],
)
def test_values_read_as_words(value: object, words: str) -> None:
    assert text(value) == words


def test_a_missing_value_reads_as_its_reason() -> None:
    assert text(LOST) == "not known (no NVML)"


def test_equal_values_and_two_missing_ones_are_no_finding() -> None:
    other = Unavailable(unavailable="another reason")

    assert not list(differ("seed", "seed", "1", "1", "changes bits"))
    assert not list(differ("seed", "seed", LOST, other, "changes bits"))


def test_a_value_that_one_side_lacks_may_change_bits() -> None:
    (found,) = differ("seed", "seed", "1", LOST, "changes bits", "set it")

    assert (found.effect, found.cure) == ("may change bits", "set it")
    assert found.sentence == "seed: 1 in the original, not known (no NVML) here"


def test_a_part_that_only_one_record_has_is_a_finding() -> None:
    assert not list(recorded("data", "data", (), ("x",)))
    (found,) = recorded("data", "data", (), LOST)
    assert (found.original, found.effect) == ("recorded", "may change bits")


def test_each_field_that_differs_is_a_finding_with_the_originals_value_in_its_cure() -> None:
    fields = {"kind of data": "kind", "name of data": "name"}
    one = Dataset(name="train", kind="numpy", arrays=(), digest="1")
    two = one.model_copy(update={"kind": "pandas", "digest": "2"})

    (found,) = differ_in("data", one, two, fields, "explains", "use {} again")

    assert (found.fact, found.original, found.here) == ("kind of data", "numpy", "pandas")
    assert (found.effect, found.cure) == ("explains", "use numpy again")


def test_two_records_are_given_back_and_one_alone_is_a_finding() -> None:
    def compare(here: object) -> Generator[Finding, None, None]:
        both.append((yield from both_recorded(str, "data", "data", "a", here)))

    both: list[tuple[str, str] | None] = []

    assert list(compare("b")) == []
    (found,) = compare(LOST)

    assert both == [("a", "b"), None]
    assert (found.original, found.here) == ("recorded", "not known (no NVML)")


def test_both_values_must_be_of_the_kind() -> None:
    assert both_are(int, 1, 2) == (1, 2)
    assert both_are(int, 1, "2") is None


def test_a_name_that_was_used_twice_has_both_digests() -> None:
    def dataset(name: str, digest: str) -> Dataset:
        return Dataset(name=name, kind="numpy", arrays=(), digest=digest)

    data = [dataset("train", "1"), dataset("test", "2"), dataset("train", "3")]

    assert digests_by_name(data) == {"train": ("1", "3"), "test": "2"}
    assert digests_in_order(data) == {"train": ("1", "3"), "test": ("2",)}
    assert digests_in_order(Unavailable(unavailable="not called")) == {}
