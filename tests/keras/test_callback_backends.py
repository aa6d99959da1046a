"""The step trail on Keras' other backends, each in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environments import BASE_PYTHON
from tests.support.training import Ended, run_child
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_records import Granularity, Losses
from wandb_repro.rerun.environment.uv import find_uv

pytestmark = [pytest.mark.slow, pytest.mark.registry]

_REPOSITORY = Path(__file__).parents[2]


def _torch() -> list[str]:
    """Return how uv is told to install PyTorch for CPUs; the usual one brings 3 GB for GPUs."""
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    links = Path(os.environ.get("PIP_FIND_LINKS") or "nowhere")
    here = sorted(links.glob(f"torch-*+cpu-{tag}-*.whl"))
    return [str(here[-1])] if here else ["--torch-backend", "cpu", "torch"]


@pytest.fixture(scope="module", params=["jax", "torch"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the name of a backend and the Python of an environment that has it."""
    name = str(request.param)
    python = tmp_path_factory.mktemp(name) / "env" / "bin" / "python"
    uv = str(find_uv())
    what = _torch() if name == "torch" else ["jax"]
    make = [uv, "venv", "--quiet", "--python", str(BASE_PYTHON), str(python.parents[1])]
    fill = [uv, "pip", "install", "--quiet", "--python", str(python)]
    try:
        subprocess.run(make, check=True, capture_output=True, timeout=60)
        subprocess.run(
            [*fill, "keras", *what, str(_REPOSITORY)], check=True, capture_output=True, timeout=500
        )
    except (OSError, subprocess.SubprocessError) as error:
        told = getattr(error, "stderr", None) or b""
        pytest.skip(f"{name} cannot be installed here: {error}\n{told.decode()[-300:]}")
    return f"{name}:{python}"


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
    name, python = backend.split(":", 1)
    script = f"COMPILED, NUDGED = {compiled}, {nudged}\n" + _SCRIPT
    command = (python, "train.py")
    ended = run_child(folder, script, command=command, environ={"KERAS_BACKEND": name})
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
    if backend.startswith("torch:"):
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
