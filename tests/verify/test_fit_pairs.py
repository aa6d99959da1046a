from __future__ import annotations

from tests.support.records import granularity, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.fit_pairs import numbered_by_model, paired_fits


def trained(*models: int) -> Trail:
    """Return the trail of fits that trained these models, in this order."""
    return trail(
        [
            granularity(fit=fit).model_copy(update={"model": model})
            for fit, model in enumerate(models, start=1)
        ]
    )


def test_fits_are_counted_by_model() -> None:
    plans = [granularity(fit=1), granularity(fit=2), granularity(fit=3), granularity(fit=3)]
    models = (5, 7, 5, 5)  # the plan of a fit may be written twice
    numbered = [
        plan.model_copy(update={"model": model}) for plan, model in zip(plans, models, strict=True)
    ]

    assert numbered_by_model(numbered) == {1: (5, 1), 2: (7, 1), 3: (5, 2)}


def test_fits_that_began_in_another_order_are_paired_by_their_model() -> None:
    assert paired_fits(trained(1, 2, 1), trained(2, 1, 1)) == {1: 2, 2: 1}
    assert paired_fits(trained(1, 2), trained(1, 2)) == {}


def test_a_fit_of_an_unknown_model_keeps_its_number() -> None:
    assert paired_fits(trained(0, 0), trained(0, 3)) == {}
