"""The step trail on Keras' other backends, without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.hidden_modules import VARIABLE
from tests.support.training import Ended, run_child
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_records import Granularity, Losses

pytestmark = [pytest.mark.slow, pytest.mark.backend]


@pytest.fixture(params=["jax", "torch"])
def backend(request: pytest.FixtureRequest) -> str:
    """Return the name of a backend that this environment has."""
    pytest.importorskip(request.param)
    return str(request.param)


_SCRIPT = """
import json
import keras, numpy as np
import wandb_repro
from wandb_repro.digest import leaf_digest
from wandb_repro.keras import ReproCallback

class Seeing(keras.callbacks.Callback):
    seen = []
    def see(self):
        own = [*self.model.trainable_variables, *self.model.non_trainable_weights]
        copies = [np.array(keras.ops.convert_to_numpy(it)) for it in own]
        self.seen.append([leaf_digest(it) for it in copies])
    def on_train_batch_begin(self, batch, logs=None):
        if batch:
            self.see()
    def on_epoch_end(self, epoch, logs=None):
        self.see()

class Nudging(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        if batch == 2:
            bias = self.model.trainable_variables[1]
            bias.assign(bias + 1.0)

run = wandb_repro.init(project="p", seed=5, code="off")
x = np.arange(48, dtype="float32").reshape(12, 4) / 48
layers = keras.layers
model = keras.Sequential([
    keras.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.5),
    layers.Dense(1),
])
model.compile("adam", "mse", **COMPILED)
seeing = Seeing()
callbacks = [ReproCallback(steps=1), seeing, *([Nudging()] if NUDGED else [])]
history = model.fit(
    x, x.sum(1, keepdims=True), batch_size=4, epochs=2, verbose=0, callbacks=callbacks
)
run.finish()
print(json.dumps({"seen": seeing.seen, "loss": [it.hex() for it in history.history["loss"]]}))
"""


def trained(backend: str, folder: Path, compiled: str = "{}", *, nudged: bool = False) -> Ended:
    script = f"COMPILED, NUDGED = {compiled}, {nudged}\n" + _SCRIPT
    # As where TensorFlow is not installed.
    environ = {"KERAS_BACKEND": backend, VARIABLE: "tensorflow sklearn pandas"}
    ended = run_child(folder, script, environ=environ)
    assert ended.returncode == 0, ended.err
    return ended


def test_each_step_has_the_weights_keras_shows(backend: str, tmp_path: Path) -> None:
    ended = trained(backend, tmp_path / "one")
    (recorded,) = ended.recorded
    steps = [it for it in recorded.trail.weights if isinstance(it, Digested)]
    told = json.loads(ended.out.splitlines()[-1])
    assert [it.step for it in steps] == [1, 2, 3, 4, 5, 6]
    assert [[one[:8] for one in it.leaves[:8]] for it in steps] == [
        [one[:8] for one in it] for it in told["seen"]
    ]
    assert len({it.root for it in steps}) == 6
    assert len({it.data for it in steps} - {None}) == 6
    assert {it.before for it in steps} == {None}
    assert [sum(one.last - one.first + 1 for one in recorded.trail.of(Losses))] == [6]
    assert [recorded.at("epoch", epoch=it).metrics["loss"] for it in (1, 2)] == told["loss"]
    again = trained(backend, tmp_path / "two").recorded[0]
    assert again.roots() == recorded.roots()


def test_steps_that_run_as_one_are_seen_at_their_last(backend: str, tmp_path: Path) -> None:
    if backend == "torch":
        pytest.skip("on PyTorch Keras takes one step at a time and refuses more")
    ended = trained(backend, tmp_path / "one", "{'steps_per_execution': 2}")
    (recorded,) = ended.recorded
    steps = [it for it in recorded.trail.weights if isinstance(it, Digested)]
    told = json.loads(ended.out.splitlines()[-1])
    (granularity,) = recorded.trail.of(Granularity)
    assert granularity.steps_at_once == 2
    assert [it.step for it in steps] == [2, 3, 5, 6]
    assert [[one[:8] for one in it.leaves[:8]] for it in steps] == [
        [one[:8] for one in it] for it in told["seen"]
    ]


def test_what_changes_weights_between_steps_is_told_from_a_step(
    backend: str, tmp_path: Path
) -> None:
    (recorded,) = trained(backend, tmp_path / "one", nudged=True).recorded
    steps = [it for it in recorded.trail.weights if isinstance(it, Digested)]
    changed = [it.step for it in steps if it.before is not None]
    assert changed == [3, 6]
