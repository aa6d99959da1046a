from __future__ import annotations

import pytest

from tests.support.records import full_manifest, trail
from wandb_repro.report.verdict import verdict_rows
from wandb_repro.verify.distance import Distance, LeafDistance
from wandb_repro.verify.verdict import judge


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        ("0.0", "equal at the end; not compared after the first difference"),
        ("1e-07", "relative difference about 1e-07 at the end; largest 1e-07 in k"),
        ("3.0", "relative difference about 3 at the end; largest 3 in k"),
        ("nan", "no distance at the end: k has infinite or NaN elements, or is all 0"),
    ],
)
def test_how_far_apart_the_weights_are_is_said_in_words(apart: str, words: str) -> None:
    leaf = LeafDistance(group="trainable", label="k", apart=apart, size="1.0")
    found = Distance(at="the end", at_end=True, leaves=(leaf,), apart=apart, size="1.0")
    verdict = judge(full_manifest(), trail(), full_manifest(), trail())

    rows = dict(verdict_rows(verdict.model_copy(update={"distance": found})))

    assert rows["weights"] == words
