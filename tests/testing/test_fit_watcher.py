"""Every step of every fit is recorded, and the model that a training without a fit returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.testing.test_process_recorder import recorder_in
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.testing.process_recorder import ProcessRecorder


def keras() -> Any:
    import keras

    return keras


def model() -> Any:
    layers = keras().layers
    made = keras().Sequential([keras().Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def fit(trained: Any, **options: Any) -> None:
    x: Any = cast("Any", np).ones((4, 2), "float32")
    trained.fit(x, x[:, :1], batch_size=2, verbose=0, **options)


def keep_keras_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    kind: type[Any] = keras().callbacks.CallbackList
    monkeypatch.setattr(kind, "on_train_begin", vars(kind)["on_train_begin"])


@pytest.fixture
def recorder(tmp_path: Path) -> ProcessRecorder:
    return recorder_in(tmp_path / "one")


def moments_in(folder: Path) -> list[tuple[int, str, int]]:
    return [
        (one.fit, one.moment, one.step) for one in read_trail(Capsule(folder / "one")).moments()
    ]


def test_every_step_of_every_fit_is_recorded_beside_the_scripts_own_callbacks(
    tmp_path: Path, recorder: ProcessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb_repro.testing.fit_watcher import watch_every_fit

    keep_keras_as_it_is(monkeypatch)
    watch_every_fit(keras(), recorder, goes_on=False)
    history = keras().callbacks.History()
    trained = model()

    fit(trained, callbacks=[history])
    fit(trained)
    recorder.end("finished")

    assert history.epoch == [0]
    steps = [(number, step) for number, name, step in moments_in(tmp_path) if name == "step"]
    assert steps == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_a_training_that_resumes_counts_from_the_steps_of_its_optimizer(
    tmp_path: Path, recorder: ProcessRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb_repro.testing.fit_watcher import watch_every_fit

    trained = model()
    fit(trained)
    keep_keras_as_it_is(monkeypatch)
    watch_every_fit(keras(), recorder, goes_on=True)

    fit(trained)
    recorder.end("finished")

    # Step 2 is what it resumed from.
    assert [step for _, name, step in moments_in(tmp_path) if name == "step"] == [2, 3, 4]
