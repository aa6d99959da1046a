from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import keras as keras_library
import numpy as np
import pytest

from tests.testing.test_process_recorder import recorder_in
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.process_state import process
from wandb_repro.state.registry import Registry
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.testing.final_state import record_all_state, record_result
from wandb_repro.testing.process_recorder import ProcessRecorder

keras: Any = keras_library


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Begin with nothing known."""
    known = Registry()
    monkeypatch.setattr(process, "registry", known)
    return known


@pytest.fixture
def recorder(tmp_path: Path) -> ProcessRecorder:
    return recorder_in(tmp_path / "one")


def model() -> Any:
    made: Any = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def step(trained: Any) -> None:
    x: Any = np.ones((4, 2), "float32")
    trained.train_on_batch(x, x[:, :1])


def trail_in(folder: Path, recorder: ProcessRecorder) -> Trail:
    recorder.end("finished")
    return read_trail(Capsule(folder / "one"))


@pytest.mark.usefixtures("registry")
def test_models_that_were_returned_are_recorded_as_trained(
    tmp_path: Path, recorder: ProcessRecorder
) -> None:
    record_result({"teacher": model(), "students": [model()]}, recorder)

    (found,) = trail_in(tmp_path, recorder).moments()
    assert (found.fit, found.moment, found.step) == (1, "final", 1)
    assert len(found.leaves) >= 4  # two kernels, two biases


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("result", [None, 0.5, "a model"])
def test_a_result_that_is_no_model_is_not_recorded(
    result: object, tmp_path: Path, recorder: ProcessRecorder
) -> None:
    record_result(result, recorder)

    assert list(trail_in(tmp_path, recorder).moments()) == []


def test_all_that_still_exists_is_recorded_if_something_was_trained(
    tmp_path: Path, recorder: ProcessRecorder, registry: Registry
) -> None:
    trained, other = model(), model()
    for made in (trained, other):
        registry.add("model", made)
    registry.add("optimizer", trained.optimizer)
    registry.count_steps(trained.optimizer, trained.optimizer.iterations)
    record_all_state(recorder)  # nothing was trained yet
    step(trained)

    record_all_state(recorder)

    (state,) = trail_in(tmp_path, recorder).states()
    assert state.moment == "end"
    assert len(state.leaves) >= 4
    del other


def test_what_was_trained_and_is_gone_is_named(
    tmp_path: Path, recorder: ProcessRecorder, registry: Registry
) -> None:
    trained = model()
    registry.add("optimizer", trained.optimizer)
    registry.count_steps(trained.optimizer, trained.optimizer.iterations)
    step(trained)
    del trained
    keras.backend.clear_session()
    gc.collect()

    record_result(model(), recorder)
    record_all_state(recorder)

    inventory = trail_in(tmp_path, recorder).inventory
    assert inventory is not None
    assert any("deleted after 1 steps" in thing.missing for thing in inventory.things)
