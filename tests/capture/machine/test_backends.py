from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from wandb_repro.capture.machine.framework import probe_framework
from wandb_repro.capture.host import Host

assert "keras" not in sys.modules
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(3)
import keras

model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", steps_per_execution=5)
print(probe_framework(Host(), model).model_dump_json(indent=1))
"""


@pytest.mark.slow
def test_the_real_keras_on_tensorflow_answers_everything() -> None:
    pytest.importorskip("tensorflow")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "unavailable" not in done.stdout
    assert '"intra_op_threads": 3' in done.stdout
    assert '"steps_per_execution": 5' in done.stdout
