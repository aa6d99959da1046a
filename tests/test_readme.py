"""The README says what is: its code, its commands, its tables and its output."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

import wandb_repro
import wandb_repro.testing
from wandb_repro import errors
from wandb_repro.cli.main import main
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Options
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.verdict import EXIT_CODES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_BEFORE = """
import keras
import numpy as np
import tensorflow as tf

x_train = np.zeros((8, 4), "float32")
y_train = np.zeros((8, 1), "float32")
dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train)).batch(4)


class Model(keras.Sequential):
    def fit(self, *data, **options):
        return super().fit(*data, shuffle=False, verbose=0, **options)
"""
_MODEL = """
model = Model([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
"""


def _block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def _table(header: str) -> list[list[str]]:
    rows = README[README.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_its_six_lines_record_a_training(tmp_path: Path) -> None:
    lines = _block("python")
    before_fit, fit = lines.rsplit("\n", 2)[0], lines.rsplit("\n", 2)[1]
    assert fit.startswith("model.fit(")
    script = tmp_path / "train.py"
    script.write_text("\n".join([_BEFORE, before_fit, _MODEL, fit, ""]), encoding="utf-8")
    environment = {**os.environ, "WANDB_MODE": "offline", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, check=True)
    capsule = Capsule(tmp_path / "wandb" / "latest-run" / "files" / "repro")
    assert not isinstance(read_manifest(capsule).ending, Unavailable)
    assert read_trail(capsule).weights[-1].moment == "final"


def test_it_shows_the_real_signature_of_init() -> None:
    real = inspect.signature(wandb_repro.init)
    parts = [
        "**wandb_init_kwargs"
        if parameter.kind is inspect.Parameter.VAR_KEYWORD
        else f'{name}="{parameter.default}"'
        if isinstance(parameter.default, str)
        else f"{name}={parameter.default}"
        for name, parameter in real.parameters.items()
    ]
    assert f"wandb_repro.init(*, {', '.join(parts)})" in README


_EXAMPLES = {"include", "exclude", "not_secret"}
"""Shown with a pattern, where nothing is asked for by default."""


def test_its_settings_are_those_that_hold() -> None:
    table = tomllib.loads(_block("toml"))["tool"]["wandb_repro"]
    told = Options.model_validate(table).model_dump(exclude=_EXAMPLES)
    assert told == Options().model_dump(exclude=_EXAMPLES)
    assert {"include", "exclude"} < table.keys()


def test_its_table_names_every_command_and_no_other() -> None:
    named = [re.findall(r"wandb-repro (\w+)", row[0])[0] for row in _table("| command |")]
    assert sorted(named) == sorted(main.list_commands(main.make_context("wandb-repro", ["show"])))


_OF_OTHERS = {"--repro-update", "--slow-quarter", "--wrap"}
"""Options of pytest, of this repository's tests, and of sbatch."""


def _options(command: click.Command) -> set[str]:
    """Return the options of a command and of those below it, which are loaded when asked for."""
    own = {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    if not isinstance(command, click.Group):
        return own
    context = click.Context(command)
    below = (command.get_command(context, name) for name in command.list_commands(context))
    return own.union(*(_options(found) for found in below if found is not None))


def test_every_option_it_names_is_one_of_a_command() -> None:
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert named - _OF_OTHERS - _options(main) == set()


def test_its_glossary_explains_each_term_once() -> None:
    terms = [row[0] for row in _table("| term |")]
    expected = ["record", "capsule", "trail", "checkpoint", "rerun", "verdict", "fingerprint"]
    assert terms == expected


def test_its_example_of_a_test_is_python_and_calls_what_there_is(tmp_path: Path) -> None:
    words = inspect.signature(wandb_repro.testing.assert_reproducible).parameters
    lines = _block("py")
    compile(lines, str(tmp_path), "exec")
    assert "steps" in words
    assert "assert_reproducible(training.train, steps=20)" in lines


def test_its_table_names_every_exit_code() -> None:
    told = {int(row[0]) for row in _table("| exit code |")}
    raised = {getattr(errors, name).exit_code for name in errors.__all__ if name != "ReproError"}
    assert told == {*raised, *EXIT_CODES.values(), 130}


@pytest.mark.parametrize("command", [".ci/demo", ".ci/test", ".ci/run"])
def test_its_commands_are_there_and_can_be_started(command: str) -> None:
    assert command in README
    assert os.access(ROOT / command, os.X_OK)


def test_the_gate_runs_its_test_command() -> None:
    assert re.search(
        r"^\.ci/test --slow-quarter auto$", (ROOT / ".ci" / "run").read_text(), flags=re.MULTILINE
    )


def test_the_floors_it_names_are_the_packages() -> None:
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert "wandb>=0.19" in setup
    assert "wandb 0.19 or newer" in README
    assert "tensorflow-cpu>=2.16" in setup
    assert "TensorFlow 2.16 or newer" in README
