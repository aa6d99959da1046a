"""Two values of one fact."""

from __future__ import annotations

import pytest

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import Dataset
from wandb_repro.verify.compare_values import both_are, differ, digests_by_name, recorded, text

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


def test_both_values_must_be_of_the_kind() -> None:
    assert both_are(int, 1, 2) == (1, 2)
    assert both_are(int, 1, "2") is None


def test_a_name_that_was_used_twice_has_both_digests() -> None:
    def dataset(name: str, digest: str) -> Dataset:
        return Dataset(name=name, kind="numpy", arrays=(), digest=digest)

    data = [dataset("train", "1"), dataset("test", "2"), dataset("train", "3")]

    assert digests_by_name(data) == {"train": ("1", "3"), "test": "2"}
