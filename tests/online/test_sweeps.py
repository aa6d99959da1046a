"""A run of a W&B sweep is rerun with its own parameters, and the sweep hears nothing of it.

The agents are W&B's own, against the test server; sweeps themselves are the bridge's.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from tests.support.machine import Done, Machine, Stored, a_project
from tests.support.server import WandbServer
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

MODEL = """
import keras
import numpy as np
import wandb

x = np.random.normal(size=(24, 4)).astype("float32")


def train():
    with wandb.init(config={"units": 1, "rate": 0.5}) as run:
        units, rate = run.config.units, run.config.rate
        model = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)]
        )
        model.compile(keras.optimizers.SGD(rate), "mse")
        model.fit(x, x[:, :1], epochs=2, batch_size=8, verbose=0)
"""

FUNCTION = f"""{MODEL}
parameters = {{"units": {{"values": [2, 3]}}, "rate": {{"value": 0.25}}}}
sweep = wandb.sweep(
    {{"method": "grid", "parameters": parameters}},
    project="swept",
)
wandb.agent(sweep, function=train, count=2)
"""

CALLED = f"{MODEL}\ntrain()\n"

WITH_ARGPARSE = """
import argparse

import keras
import numpy as np
import wandb

import wandb_repro
from wandb_repro.keras import ReproCallback

parser = argparse.ArgumentParser()
parser.add_argument("--units", type=int, default=1)
parser.add_argument("--rate", type=float, default=0.5)
run = wandb_repro.init(config=vars(parser.parse_args()))
x = np.random.normal(size=(24, 4)).astype("float32")
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(run.config.units), keras.layers.Dense(1)]
)
model.compile(keras.optimizers.SGD(run.config.rate), "mse")
model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[ReproCallback()])
"""

GRID = """\
program: train.py
method: grid
parameters:
  units:
    values: [2, 3]
  rate:
    value: 0.25
"""


def rerun_of(stored: Stored, folder: Path) -> tuple[Done, Stored]:
    """Rerun a run on a clean machine; return what was said and the new run."""
    machine = Machine(stored.server, folder)
    done = machine.repro("rerun", stored.path, "--env", "here", "--yes", "--json")
    assert done.code == 0, done.said
    return done, Stored(stored.server, done.data["rerun"])


def recorded(server: WandbServer, project: Path) -> list[Stored]:
    """Return the runs that processes left in a project's folder, the first first."""
    folders = sorted(path for path in project.glob("wandb/run-*") if not path.is_symlink())
    told = [read_manifest(Capsule(path / "files" / "repro")).run for path in folders]
    return [Stored(server, f"{one.entity}/{one.project}/{one.id}") for one in told]


def by_units(runs: list[Stored]) -> dict[int, Stored]:
    return {run.config["units"]: run for run in runs}


def checked(original: Stored, again: Stored, units: int) -> None:
    """Check that a rerun had the parameters of its original, and is in no sweep."""
    assert again.config["units"] == original.config["units"] == units
    assert again.config["rate"] == 0.25
    assert original.manifest.run.sweep
    assert not again.manifest.run.sweep
    assert again.summary["repro/verdict"] == "identical"


@pytest.fixture(scope="module")
def by_function(
    wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory
) -> list[Stored]:
    """Record an unmodified script whose function a sweep's agent calls twice."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("agent"))
    project = a_project(machine.folder / "project", FUNCTION, {})
    done = machine.repro("run", "--", "train.py", cwd=project)
    assert done.code == 0, done.said
    runs = recorded(wandb_server, project)
    assert [run.config["units"] for run in runs] == [2, 3]
    project.rename(machine.folder / "elsewhere")
    return runs


@pytest.mark.slow
def test_a_later_run_of_an_agent_that_calls_a_function_is_rerun_with_its_parameters(
    by_function: list[Stored], tmp_path: Path
) -> None:
    done, again = rerun_of(by_function[1], tmp_path)
    assert "calls the sweep's function once" in done.said
    checked(by_function[1], again, 3)


@pytest.mark.slow
def test_the_first_run_of_an_agent_that_calls_a_function_is_rerun_with_its_parameters(
    by_function: list[Stored], tmp_path: Path
) -> None:
    checked(by_function[0], rerun_of(by_function[0], tmp_path)[1], 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "command"),
    [
        (CALLED, ["-m", "wandb_repro", "run", "--", "${program}"]),
        (WITH_ARGPARSE, ["${program}", "${args}"]),
    ],
    ids=["a script that knows nothing of us", "a script with argparse"],
)
def test_a_run_of_the_command_line_agent_is_rerun_with_its_parameters(
    script: str, command: list[str], wandb_server: WandbServer, tmp_path: Path
) -> None:
    machine = Machine(wandb_server, tmp_path / "agent")
    project = a_project(machine.folder / "project", script, {})
    listed = "\n".join(f"  - '{word}'" for word in (sys.executable, *command))
    (machine.work / "sweep.yaml").write_text(f"{GRID}command:\n{listed}\n")
    make = textwrap.dedent(
        """
        import wandb, yaml
        print(wandb.sweep(yaml.safe_load(open("sweep.yaml")), project="swept"))
        """
    )
    made = machine.run("-c", make)
    assert made.code == 0, made.said
    sweep = f"default/swept/{made.out.split()[-1]}"
    agent = machine.run("-m", "wandb", "agent", sweep, cwd=project, WANDB_PROJECT="swept")
    assert agent.code == 0, agent.said
    runs = by_units(recorded(wandb_server, project))
    assert set(runs) == {2, 3}, agent.said
    project.rename(machine.folder / "elsewhere")
    checked(runs[3], rerun_of(runs[3], tmp_path / "clean")[1], 3)
