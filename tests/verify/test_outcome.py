from __future__ import annotations

from wandb_repro.verify.outcome import OutputDifference


def test_a_difference_is_one_sentence() -> None:
    difference = OutputDifference(
        what="logged", key="test_acc", where="row 3", original="0.5", rerun="0.25"
    )
    assert str(difference) == "logged test_acc at row 3: 0.5 in the original, 0.25 in the rerun"


def test_batches_have_no_values_to_show() -> None:
    difference = OutputDifference(
        what="batches", key="batches", where="step 2 (epoch 1)", original="", rerun=""
    )
    assert str(difference) == "the batches at step 2 (epoch 1) differ"
