"""A script without W&B leaves a record under ``wandb-repro run``, or one line says why not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.training import SMALL_MODEL, Ended, run_child
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import Ending

LAUNCH = (sys.executable, "-m", "wandb_repro.launch", "train.py")

FRAMEWORK = "import pathlib\npathlib.Path('torch.py').write_text('manual_seed = str')\n"
"""First line of a script: makes a small PyTorch, which is imported in no time."""


def launched(folder: Path, script: str, **how: Any) -> Ended:
    return run_child(folder, script, command=LAUNCH, **how)


@pytest.mark.parametrize(
    ("script", "environ", "reason"),
    [
        ("print('done')", {}, "the script imported neither Keras, TensorFlow, JAX nor PyTorch;"),
        (FRAMEWORK + "import torch", {"WANDB_MODE": "disabled"}, "WANDB_MODE is disabled"),
        (
            FRAMEWORK + "import torch, wandb\nwandb.init(mode='disabled').finish()",
            {},
            "the script disabled its W&B run",
        ),
    ],
)
def test_what_is_not_recorded_is_said_in_the_last_line(
    tmp_path: Path, script: str, environ: dict[str, str], reason: str
) -> None:
    done = launched(tmp_path, script, environ=environ)
    assert (done.returncode, done.runs) == (0, []), done.err
    assert done.err.splitlines()[-1].startswith(f"wandb_repro: nothing recorded: {reason}")


def test_a_script_without_wandb_is_recorded_in_an_offline_run_when_it_ends(tmp_path: Path) -> None:
    script = FRAMEWORK + (
        "import torch\n"
        "import os\n"
        "pathlib.Path('train.py').write_text('edited while it trains')\n"
        "os.chdir('/')\n"
        "import atexit\n"
        "atexit.register(lambda: print('trained'))"
    )
    # A user who is logged in, and asked for nothing.
    unset = [f"--unset=WANDB_{name}" for name in ("MODE", "DIR", "SILENT", "CONSOLE")]
    command = ("env", *unset, "WANDB_API_KEY=" + "0" * 40, *LAUNCH)
    done = run_child(tmp_path, script, command=command)
    assert (done.returncode, done.out) == (0, "trained\n"), done.err
    assert "wandb: " not in done.err
    (run,) = (tmp_path / "project" / "wandb").glob("offline-run-*")
    recorded = Ended(tmp_path / "project", 0, "", "").recorded
    assert len(recorded) == 1
    assert not (run / "files" / "output.log").exists()  # W&B captured nothing
    manifest = recorded[0].manifest
    assert manifest.run.id in run.name
    assert isinstance(manifest.ending, Ending)
    assert manifest.ending.status == "finished"
    code = manifest.execution.code
    assert isinstance(code, Code)
    assert code.files == 2
    assert recorded[0].trail.end is not None


def test_an_error_is_shown_as_python_shows_it_and_then_recorded(tmp_path: Path) -> None:
    script = FRAMEWORK + "import torch\n\ndef f():\n    raise TypeError('mine')\n\nf()"
    done = launched(tmp_path, script)
    assert done.returncode == 1
    assert [line.split(", line")[0].strip() for line in done.err.splitlines()[:5]] == [
        "Traceback (most recent call last):",
        f'File "{tmp_path}/project/train.py"',
        "f()",
        f'File "{tmp_path}/project/train.py"',
        "raise TypeError('mine')",
    ]
    (recorded,) = done.recorded
    ending = recorded.manifest.ending
    assert isinstance(ending, Ending)
    assert (ending.status, ending.detail) == ("failed", "TypeError")


@pytest.mark.parametrize(
    ("end", "code"),
    [("sys.exit(3)", 3), ("sys.exit('words')", 1), ("sys.exit()", 0), ("sys.exit(None)", 0)],
)
def test_what_a_script_exits_with_is_kept_and_it_is_recorded(
    tmp_path: Path, end: str, code: int
) -> None:
    done = launched(tmp_path, FRAMEWORK + f"import sys, torch\n{end}")
    assert done.returncode == code
    assert len(done.recorded) == 1


def test_a_syntax_error_is_shown_as_python_shows_it(tmp_path: Path) -> None:
    done = launched(tmp_path, "x = 1\nfor")
    assert done.returncode == 1
    lines = done.err.splitlines()
    assert lines[0].strip() == f'File "{tmp_path}/project/train.py", line 2'
    assert "wandb_repro/" not in done.err


def test_a_script_that_starts_a_run_has_that_one_alone(tmp_path: Path) -> None:
    done = launched(tmp_path, FRAMEWORK + "import torch, wandb\nwandb.init(project='mine')")
    (recorded,) = done.recorded
    assert recorded.manifest.run.project == "mine"
    assert len(done.runs) == 1


def test_a_forked_child_starts_no_run_and_leaves_its_parents_snapshot(tmp_path: Path) -> None:
    script = FRAMEWORK + (
        "import os, sys, torch\nchild = os.fork()\nif not child:\n    sys.exit(0)\nos.wait()"
    )
    done = launched(tmp_path, script)
    assert done.returncode == 0, done.err
    (recorded,) = done.recorded
    assert isinstance(recorded.manifest.execution.code, Code)


def test_a_further_rank_of_a_distributed_training_starts_none(tmp_path: Path) -> None:
    ranked = {"RANK": "1", "WORLD_SIZE": "2"}
    done = launched(tmp_path, FRAMEWORK + "import torch", environ=ranked)
    assert (done.returncode, done.runs, done.ours) == (0, [], [])


@pytest.mark.slow
def test_a_run_that_the_script_starts_after_its_first_fit_is_its_own(tmp_path: Path) -> None:
    script = f"""{SMALL_MODEL}
model = small_model()
model.fit(x, y, verbose=0)
import wandb
run = wandb.init(project="mine", config={{"lr": 1}})
model.fit(x, y, verbose=0)
run.finish()
"""
    done = launched(tmp_path, script)
    assert done.returncode == 0, done.err
    first, second = done.recorded
    assert second.manifest.run.project == "mine"
    assert second.manifest.execution.config == {"lr": 1}
    assert first.moments()[-1][0] == second.moments()[-1][0] == "final"


@pytest.mark.slow
def test_a_keras_script_that_only_shows_its_help_is_not_recorded(tmp_path: Path) -> None:
    script = "import argparse, keras\nargparse.ArgumentParser().parse_args(['--help'])"
    done = launched(tmp_path, script)
    assert (done.returncode, done.runs) == (0, [])
    assert done.ours == ["wandb_repro: nothing recorded: the script ended before it built a model"]
