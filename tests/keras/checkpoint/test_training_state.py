"""The state of a fit: taken, compared with another process, given back."""

from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
import pytest

from tests.support.resuming import bits_of
from tests.support.seeded import seeded, use_run
from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.training_state import TrainingState
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.recording.checkpoint_process import seed_of_process
from wandb_repro.store.checkpoint_file import StoredCheckpoint

__all__ = ["seeded"]

layers: Any = keras.layers


def model(value: float = 0.5) -> Any:
    built: Any = cast("Any", keras).Sequential([cast("Any", keras).Input((2,)), layers.Dense(1)])
    built.compile("sgd", "mse")
    built.set_weights([np.full((2, 1), value, "float32"), np.zeros(1, "float32")])
    return built


def state_of(trained: Any, **variables: object) -> TrainingState:
    return TrainingState(trained, FitFrame(None, variables), [])


def stored(state: TrainingState, **changes: object) -> StoredCheckpoint:
    taken = state.take({"epoch": 1})
    return StoredCheckpoint({**taken.state, **changes}, tuple(taken.pieces), "ab" * 32)


def test_what_is_taken_names_the_seed_and_the_versions_and_holds_each_variable() -> None:
    taken = state_of(model()).take({"epoch": 3})

    assert (taken.state["epoch"], taken.state["seed"]) == (3, "7")
    assert taken.state["made_with"]["keras"] == cast("Any", keras).__version__
    assert [piece.shape for piece in taken.pieces[:2]] == [(2, 1), (1,)]
    assert taken.root == state_of(model()).take({}).root
    assert taken.root != state_of(model(0.25)).take({}).root


def test_a_model_without_variables_cannot_be_taken() -> None:
    empty: Any = cast("Any", keras).Sequential([])

    with pytest.raises(CheckpointError, match="no variables"):
        state_of(empty).take({})


def test_the_weights_of_another_process_are_given_to_an_equal_model() -> None:
    one, two = model(0.5), model(0.25)
    found = stored(state_of(one))

    state = state_of(two)
    state.check(found)
    state.restore_weights(found)

    assert bits_of(two) == bits_of(one)


def test_a_model_with_other_variables_is_refused() -> None:
    other: Any = cast("Any", keras).Sequential([cast("Any", keras).Input((2,)), layers.Dense(3)])
    other.compile("sgd", "mse")

    with pytest.raises(CheckpointError):
        state_of(other).check(stored(state_of(model())))


def test_a_checkpoint_of_a_loop_is_refused() -> None:
    state = state_of(model())
    found = stored(state)
    del found.state["model"]

    with pytest.raises(CheckpointError, match="of a loop, and not of a fit"):
        state.check(found)


def test_an_equal_process_has_no_differences() -> None:
    state = state_of(model())

    assert state.differences(stored(state)) == []


def test_another_seed_version_and_kind_of_data_are_each_a_sentence() -> None:
    state = state_of(model())
    found = stored(state, seed="8", made_with={"keras": "2.0"}, position={"kind": "a generator"})

    seed, version, data = state.differences(found)

    assert seed.startswith("it was seeded with 8 and this process with 7")
    assert version.startswith("it was made with keras 2.0 and this is ")
    assert data.startswith("its data came from a generator and now comes from ")


def test_another_config_is_a_difference_and_in_a_sweep_another_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = state_of(model())
    found = stored(state, config={"lr": "0.1", "gone": "1"})

    use_run(monkeypatch, {"lr": 0.2, "repro": "ours"}, sweep_id=None)
    state.check(found)
    assert state.differences(found) == ["config 'lr' was 0.1 and is 0.2"]

    use_run(monkeypatch, {"lr": 0.2}, sweep_id="s1")
    with pytest.raises(CheckpointError, match="another run of the sweep: config 'lr'"):
        state.check(found)


def test_a_process_that_nothing_seeded_is_named_before_the_first_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reasons = state_of(model()).unsaved(search=True)
    monkeypatch.setattr("wandb_repro.keras.checkpoint.training_state.seed_of_process", lambda: None)
    unseeded = state_of(model()).unsaved(search=True)

    assert seed_of_process() == "7"
    assert [one.what[:18] for one in unseeded if one not in reasons] == ["nothing was seeded"]
    assert state_of(model()).unsaved(search=False) == []
