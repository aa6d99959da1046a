from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wandb_repro.capture.dataset.split import split_of

X: Any = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
Y: Any = np.arange(4)


def test_both_parts_are_named_after_the_fit_and_share_what_they_share() -> None:
    arguments = {"x": X, "y": Y, "val_x": X[:1], "val_y": Y[:1]}
    parts = split_of(arguments, 2)
    assert parts is not None
    training, validation = parts
    assert (training.dataset.name, validation.dataset.name) == (
        "training of fit 2",
        "validation of fit 2",
    )
    assert training.kept is not None
    assert validation.kept is not None
    assert validation.kept.also_in(training.kept) == 1


@pytest.mark.parametrize(
    "arguments",
    [{}, {"x": X}, {"x": X, "val_x": None}, {"x": iter(X), "val_x": X}, {"x": X, "val_x": "val"}],
)
def test_what_is_no_pair_of_arrays_has_no_split(arguments: dict[str, object]) -> None:
    assert split_of(arguments, 1) is None


def test_large_arrays_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.capture.dataset.split._MOST_BYTES", X.nbytes)
    assert split_of({"x": X, "val_x": X[:1]}, 1) is None
