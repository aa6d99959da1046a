"""Scripts that know nothing of us get their parameters again, wherever they had them from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project
from wandb_repro.manifest.base import Unavailable

TRAINING = """
import keras
import numpy as np
import wandb


def train(rate, units):
    wandb.init(project="parameters")
    x = np.random.normal(size=(16, 4)).astype("float32")
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.SGD(rate), "mse")
    model.fit(x, x[:, :1], epochs=1, verbose=0)
"""

ARGPARSE = f"""{TRAINING}
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, default=0.5)
parser.add_argument("--units", type=int, default=1)
given = parser.parse_args()
train(given.rate, given.units)
"""

ABSL = f"""{TRAINING}
from absl import app, flags

flags.DEFINE_float("rate", 0.5, "learning rate")
flags.DEFINE_integer("units", 1, "units")


def main(_):
    train(flags.FLAGS.rate, flags.FLAGS.units)


app.run(main)
"""

HYDRA = f"""{TRAINING}
import hydra


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(given):
    train(given.optimizer.rate, given.units)


main()
"""

YAML = f"""{TRAINING}
import yaml

with open("parameters.yaml") as file:
    given = yaml.safe_load(file)
train(given["rate"], given["units"])
"""

JSON = f"""{TRAINING}
import json
from pathlib import Path

given = json.loads(Path("parameters.json").read_text())
train(given["rate"], given["units"])
"""

OMEGACONF = f"""{TRAINING}
from omegaconf import OmegaConf

given = OmegaConf.merge(OmegaConf.load("base.yaml"), OmegaConf.from_cli())
train(given.rate, given.units)
"""


def rerun(
    folder: Path, ask: Ask, script: str, *words: str, files: dict[str, str] | None = None
) -> None:
    """Record a script, change every file of parameters, rerun it, and check what it got."""
    project = Project.made(folder / "project", script)
    places = [project.folder / name for name in files or {}]
    for place, text in zip(places, (files or {}).values(), strict=True):
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    done = project.record("-m", "wandb_repro", "run", "--", "train.py", *words)
    assert done.returncode == 0
    for place in places:
        place.write_text(place.read_text().replace("0.25", "0.75").replace("3", "2"))
    answer = ask("rerun", "latest", "--env", "here", "--yes", "--json", cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    fits = project.manifest.description.fits
    assert not isinstance(fits, Unavailable)
    assert "'learning_rate': 0.25" in str(fits[0].optimizer)
    assert "'units': 3" in str(fits[0].architecture)


@pytest.mark.slow
def test_argparse(tmp_path: Path, ask: Ask) -> None:
    rerun(tmp_path, ask, ARGPARSE, "--rate", "0.25", "--units=3")


@pytest.mark.slow
def test_absl_flags(tmp_path: Path, ask: Ask) -> None:
    rerun(tmp_path, ask, ABSL, "--rate=0.25", "--units=3")


@pytest.mark.slow
def test_absl_flags_of_a_file(tmp_path: Path, ask: Ask) -> None:
    flags = {"my.flags": "--rate=0.25\n--units=3\n"}
    rerun(tmp_path, ask, ABSL, "--flagfile=my.flags", files=flags)


@pytest.mark.slow
def test_hydra(tmp_path: Path, ask: Ask) -> None:
    files = {
        "conf/config.yaml": "units: 1\noptimizer:\n  rate: 0.25\n",
    }
    rerun(tmp_path, ask, HYDRA, "units=3", files=files)


@pytest.mark.slow
def test_omegaconf(tmp_path: Path, ask: Ask) -> None:
    files = {"base.yaml": "rate: 0.25\nunits: 1\n"}
    rerun(tmp_path, ask, OMEGACONF, "units=3", files=files)


@pytest.mark.slow
def test_a_yaml_file_that_nobody_committed(tmp_path: Path, ask: Ask) -> None:
    rerun(tmp_path, ask, YAML, files={"parameters.yaml": "rate: 0.25\nunits: 3\n"})


@pytest.mark.slow
def test_a_json_file_that_git_ignores(tmp_path: Path, ask: Ask) -> None:
    files = {"parameters.json": '{"rate": 0.25, "units": 3}\n'}
    script = f"open('.gitignore', 'a').write('*.json\\n')\n{JSON}"
    rerun(tmp_path, ask, script, files=files)
