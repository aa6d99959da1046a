from __future__ import annotations

import pytest

from tests.support.records import granularity, moments, trail
from tests.support.records import losses as losses_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Granularity, TrailRecord
from wandb_repro.verify.undigested import undigested

SMALL = Unavailable(unavailable="small")


def small(fit: int) -> list[TrailRecord]:
    """The records of a small fit without digests."""
    plan: Granularity = granularity(fit=fit, every=0).model_copy(update={"digests": SMALL})
    return [plan, losses_of(0.5, fit=fit)]


def digested(fit: int) -> list[TrailRecord]:
    return [granularity(fit=fit, every=0), *moments(fit=fit)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([*digested(1), *digested(2)], ""),
        ([*digested(1), *small(2), *digested(3)], ""),
        ([*digested(1), *small(2)], "the weights were not digested after fit 2"),
        (
            [*digested(1), *small(2), *digested(3), *small(4), *small(5)],
            "the weights were not digested after fits 4 to 5",
        ),
    ],
    ids=["all digested", "covered by the next", "the last", "the last two"],
)
def test_small_fits_behind_the_last_digest_are_named(
    records: list[TrailRecord], expected: str
) -> None:
    assert undigested(trail(records)) == ((expected,) if expected else ())
