"""Real trainings that fail, recorded by ``wandb-repro run`` without a change, and rerun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project

SCRIPT = """\
import os

import keras
import numpy as np
import wandb


class Full(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if os.environ["FAILS"] == "callback" and epoch == 2:
            raise RuntimeError("no space left")


run = wandb.init(project="failing")
keras.utils.set_random_seed(3)
x = np.random.default_rng(0).normal(size=(12, 4)).astype("float32")
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
model.compile("adam", "mse", jit_compile=False)
history = model.fit(x, x[:, :1], epochs=4, batch_size=4, verbose=0, callbacks=[Full()])
run.log({"loss": history.history["loss"][-1]})
model.save("model.of_no_kind")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fails", "ended", "epochs"),
    [
        # Ours comes after the script's own callbacks: it never sees the end of epoch 3.
        ("callback", "RuntimeError at train.py:11", 2),
        ("save", "ValueError at train.py:21", 4),
    ],
)
def test_a_training_that_fails_again_is_identical_up_to_the_failure(
    tmp_path: Path, ask: Ask, fails: str, ended: str, epochs: int
) -> None:
    project = Project.made(tmp_path / "project", SCRIPT)
    words = ("-m", "wandb_repro", "run", "--", "train.py")
    assert project.record(*words, FAILS=fails).returncode == 1
    assert str(project.manifest.ending) == ended
    work = tmp_path / "work"

    answer = ask(
        *("rerun", "latest", "--env", "here", "--yes", "--json", "--dir", work),
        cwd=project.folder,
        FAILS=fails,
    )

    assert answer.code == 0, answer.err
    assert (answer.data["grade"], answer.data["metric_epochs"]) == ("identical", epochs)
    assert answer.data["endings"] == {
        "original": ended,
        "rerun": ended,
        "alike": True,
        "rerun_failed": False,
    }
    assert "wandb_repro/" not in answer.err.partition("Traceback")[2]
