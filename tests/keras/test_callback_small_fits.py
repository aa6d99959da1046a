"""Many fits of few steps, as deep Q-learning has: one for each step of a game."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recording import callback, fit, recording
from tests.support.training import Recorded, Young, data, dense_model
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Granularity, Losses
from wandb_repro.recording.fit import fit_count

FITS = 9


@pytest.fixture(autouse=True)
def _after_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_count, "FIRST_FITS", 2)


def played(model: Any, *, steps: int | None = None) -> list[float]:
    """Fit many times; return the loss of each."""
    x, y = data()
    found: list[float] = []
    for turn in range(FITS):
        options = {"x": x, "y": y + turn, "batch_size": 12, "epochs": 1}
        history = fit(model, callback(steps=steps), **options)
        found += history.history["loss"]
    return found


def fits_digested(recorded: Recorded) -> list[int]:
    return sorted({found.fit for found in recorded.trail.weights})


def test_some_fits_are_digested_and_all_losses_are_kept(offline: Young) -> None:
    with recording(offline) as found:
        losses = played(dense_model())
    (recorded,) = found
    assert fits_digested(recorded) == [1, 2, 4, 8]
    plans = {plan.fit: plan for plan in recorded.trail.of(Granularity)}
    skipped = [number for number, it in plans.items() if isinstance(it.digests, Unavailable)]
    assert skipped == [3, 5, 6, 7, 9]
    assert recorded.trail.end is not None
    assert recorded.trail.end.fits == FITS
    kept = {it.fit: float_of(it.bits["loss"]) for it in recorded.trail.of(Losses)}
    assert [kept[number] for number in range(1, FITS + 1)] == losses


def float_of(bits: str) -> float:
    import struct

    return struct.unpack(">d", bytes.fromhex(bits))[0]


def test_a_fit_without_digests_takes_less_than_a_kilobyte(offline: Young) -> None:
    model = dense_model(metrics=["mae", "mse"])
    with recording(offline) as found:
        played(model)
    lines = found[0].capsule.trail.read_bytes().splitlines(keepends=True)
    of_fit_7 = [line for line in lines if b'"fit":7,' in line]
    assert 0 < sum(map(len, of_fit_7)) <= 1000


def test_every_fit_is_digested_if_steps_are_asked(offline: Young) -> None:
    with recording(offline) as found:
        played(dense_model(), steps=1)
    assert fits_digested(found[0]) == list(range(1, FITS + 1))


def test_each_model_is_counted_by_itself(offline: Young) -> None:
    x, y = data()
    with recording(offline) as found:
        for model in (dense_model(), dense_model()):
            for _ in range(3):
                fit(model, x=x, y=y, epochs=1)
    assert fits_digested(found[0]) == [1, 2, 4, 5]
