"""Leakage between what a fit trains on and what it validates on is counted as the fit begins."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, cast

import numpy
import pytest

from tests.support.recording import callback, keras, recording
from tests.support.training import Young, dense_model
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.recording import messages

np: Any = cast("Any", numpy)

X = np.random.default_rng(0).random((40, 4)).astype("float32")
LEAKY = np.concatenate([X, X[:5]])
"""Its last five rows are its first, too."""


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    messages.forget()


def by_validation_split(rows: Any) -> dict[str, Any]:
    return {"x": rows, "y": rows[:, :1], "validation_split": 0.2}


def by_scikit_learn(rows: Any) -> dict[str, Any]:
    split = cast("Any", importlib.import_module("sklearn.model_selection")).train_test_split
    train, test = split(rows, test_size=9, shuffle=False)
    return {"x": train, "y": train[:, :1], "validation_data": (test, test[:, :1])}


def by_hand(rows: Any) -> dict[str, Any]:
    train, test = rows[:30], rows[30:]
    return {"x": train, "y": train[:, :1], "validation_data": (test, test[:, :1])}


SPLITS = [by_validation_split, by_scikit_learn, by_hand]
Split = Callable[[Any], dict[str, Any]]


def trained(offline: Young, given: dict[str, Any]) -> Manifest:
    with recording(offline) as found:
        dense_model().fit(**given, batch_size=8, verbose=0, callbacks=[callback()])
    return found[0].manifest


@pytest.mark.parametrize("split", SPLITS)
def test_rows_that_a_fit_trains_and_validates_on_are_counted(
    split: Split, offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    description = trained(offline, split(LEAKY)).description
    assert not isinstance(description.overlaps, Unavailable)
    (overlap,) = description.overlaps
    assert (overlap.one, overlap.two) == ("training of fit 1", "validation of fit 1")
    assert (overlap.rows_of_one, overlap.rows_of_two) == (5, 5)
    overlap = "5 rows of 'validation of fit 1' are also in 'training of fit 1'"
    assert overlap in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_a_clean_split_is_recorded_without_a_warning(
    split: Split, offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    description = trained(offline, split(X)).description
    assert description.overlaps == ()
    assert "stand in" not in capsys.readouterr().err
    assert not isinstance(description.data, Unavailable)
    assert [part.name for part in description.data] == ["training of fit 1", "validation of fit 1"]
    assert sum(cast("int", part.rows) for part in description.data) == 40


@pytest.mark.slow
def test_validation_by_a_pipeline_is_left_alone(offline: Young) -> None:
    tensors = cast("Any", importlib.import_module("tensorflow")).data.Dataset.from_tensor_slices
    given = {"x": X, "y": X[:, :1], "validation_data": tensors((X, X[:, :1])).batch(8)}
    assert isinstance(trained(offline, given).description.data, Unavailable)


@pytest.mark.slow
def test_a_split_leaves_the_training_as_it_was(offline: Young) -> None:
    with recording(offline):
        keras().utils.set_random_seed(3)
        one = dense_model()
        one.fit(**by_validation_split(X), verbose=0, callbacks=[callback()])
    keras().utils.set_random_seed(3)
    two = dense_model()
    two.fit(**by_validation_split(X), verbose=0)
    pairs = zip(one.get_weights(), two.get_weights(), strict=True)
    assert all((mine == yours).all() for mine, yours in pairs)
