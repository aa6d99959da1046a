"""What a user logs is logged: the history with us is that without us, row by row.

Each way of logging is trained twice against the server, with our lines and without. A resumed run
is one that goes on under the id of an ended one.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.support.machine import Machine, Stored, a_project
from tests.support.server import WandbServer

pytestmark = pytest.mark.slow

_MODEL = """
import sys

import keras
import numpy as np
import wandb
from wandb.integration.keras import WandbMetricsLogger

OURS = sys.argv[1] == "ours"
if OURS:
    import wandb_repro
    from wandb_repro.keras import ReproCallback


def begin(**options):
    keras.utils.set_random_seed(3)
    if OURS:
        return wandb_repro.init(project="history", seed=3, **options)
    return wandb.init(project="history", **options)


x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")


def train(*callbacks, epochs=2):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(
        x,
        x[:, :2],
        epochs=epochs,
        batch_size=8,
        shuffle=False,
        verbose=0,
        callbacks=[*([ReproCallback()] if OURS else []), *callbacks],
    )
"""

WAYS = {
    "the metrics logger by epoch": """
begin(id=sys.argv[2])
train(WandbMetricsLogger())
""",
    "the metrics logger by batch": """
begin(id=sys.argv[2])
train(WandbMetricsLogger(log_freq="batch"))
""",
    "steps of its own from 0": """
run = begin(id=sys.argv[2])
run.log({"mine": 0.5}, step=0)
train()
for step in range(1, 4):
    run.log({"mine": step + 0.5}, step=step)
""",
    "a metric with its own axis": """
run = begin(id=sys.argv[2])
run.define_metric("mine/*", step_metric="mine/epoch")
run.define_metric("mine/best", summary="max")
train(
    keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: run.log(
            {"mine/epoch": epoch, "mine/loss": logs["loss"], "mine/best": -epoch}
        )
    )
)
""",
    "parts of a row": """
run = begin(id=sys.argv[2])
run.log({"a": 1.0}, commit=False)
train()
run.log({"b": 2.0})
run.log({"c": 3.0})
""",
    "a run that is resumed": """
run = begin(id=sys.argv[2])
run.log({"mine": 1.0})
train(WandbMetricsLogger(), epochs=1)
run.finish()
run = begin(id=sys.argv[2], resume="allow")
run.log({"mine": 2.0})
train(WandbMetricsLogger(), epochs=1)
""",
    "a run begun anew": """
first = begin(id=sys.argv[2] + "a")
first.log({"mine": 1.0})
train(epochs=1)
run = begin(id=sys.argv[2], reinit="finish_previous")
run.log({"mine": 2.0}, step=0)
train(WandbMetricsLogger(), epochs=1)
""",
}


@pytest.fixture(scope="module")
def machine(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Give one machine for all."""
    return Machine(wandb_server, tmp_path_factory.mktemp("history"))


def _trained(machine: Machine, way: str, ours: bool) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the rows and the summary of a training, without the times."""
    run_id = f"history{secrets.token_hex(4)}"
    project = machine.folder / run_id
    a_project(project, _MODEL + WAYS[way], {})
    done = machine.run("train.py", "ours" if ours else "plain", run_id, cwd=project)
    assert done.code == 0, done.err
    stored = Stored(machine.server, f"default/history/{run_id}")
    summary = {
        name: value
        for name, value in stored.summary.items()
        if not name.startswith(("_", "repro/"))
    }
    assert any(name.startswith("repro/") for name in stored.summary) == ours
    return stored.history, summary


@pytest.mark.parametrize("way", WAYS)
def test_the_history_with_us_is_that_without_us(way: str, machine: Machine) -> None:
    mine, plain = (_trained(machine, way, ours) for ours in (True, False))

    assert mine[0], "nothing was logged"
    assert mine[0] == plain[0]
    assert mine[1] == plain[1]
