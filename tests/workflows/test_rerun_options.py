"""How a run is rerun, where nothing else was chosen."""

from __future__ import annotations

import pytest

from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.workflows.rerun_options import RerunOptions


def test_by_default_a_rerun_stops_at_the_first_difference_and_publishes_nothing() -> None:
    options = RerunOptions()
    assert not options.trains_on
    assert not options.allow_outputs
    assert not options.allow_missing


@pytest.mark.parametrize(
    "options",
    [
        RerunOptions(keep_going=True),
        RerunOptions(tolerance=Tolerance(rtol=0.1)),
        RerunOptions(tolerance=Tolerance(metrics={"loss": 0.1})),
    ],
    ids=["asked", "relative", "of a metric"],
)
def test_who_tolerates_a_difference_trains_to_the_end(options: RerunOptions) -> None:
    assert options.trains_on
