from __future__ import annotations

import pytest

from tests.support.records import full_manifest, trail
from wandb_repro.report.verdict import verdict_rows
from wandb_repro.verify.distance import Distance, LeafDistance
from wandb_repro.verify.verdict import judge


@pytest.mark.parametrize(
    ("apart", "told"),
    [
        ("0.0", "not at all: the weights are equal at the end"),
        ("1e-07", "about 1e-07 of the weights' size at the end (the last bits); farthest k, 1e-07"),
        ("3.0", "about 3 of the weights' size at the end (another model); farthest k, 3"),
        ("nan", "k cannot be told, at the end: it has numbers that are not finite, or is 0"),
    ],
)
def test_how_far_apart_the_weights_are_is_said_in_words(apart: str, told: str) -> None:
    leaf = LeafDistance(group="trainable", label="k", apart=apart, size="1.0")
    found = Distance(at="the end", at_end=True, leaves=(leaf,), apart=apart, size="1.0")
    verdict = judge(full_manifest(), trail(), full_manifest(), trail())

    rows = dict(verdict_rows(verdict.model_copy(update={"distance": found})))

    assert rows["apart"] == told
