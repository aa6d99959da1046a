"""Trainings that are killed again and again and started again, and one that is never stopped.

TensorFlow is imported once, by a parent that forks each attempt: an attempt is a fresh process for
all that a training draws and holds, and begins in a tenth of a second.
"""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.training import begun_child

__all__ = ["COMMON", "Outcome", "Parent", "killed_and_resumed", "killing_parent"]

LOG = "log.txt"
"""What the attempts of a training print."""

COMMON = """
import os
import time
import keras
import numpy as np
import tensorflow as tf
from wandb_repro.keras import ReproCheckpoint
import wandb_repro

keras.utils.set_random_seed(11)
drawn = np.random.default_rng(5)
x = drawn.normal(size=(96, 6)).astype("float32")
y = (x[:, :1] > 0).astype("float32")

# Epochs of a few milliseconds would be over before a signal arrives on a busy machine.
# So none takes less than this, and while more kills are to come, a third of one attempt waits.
begun = []

def wait(epoch, logs):
    begun.append(epoch)
    time.sleep(0.06)
    while len(begun) > 2 and os.path.exists("brake"):
        time.sleep(0.01)

pause = keras.callbacks.LambdaCallback(on_epoch_begin=wait)

def model_of(rate=1e-2, **more):
    model = keras.Sequential([
        keras.Input((6,)), keras.layers.Dense(8, activation="relu"),
        keras.layers.BatchNormalization(), keras.layers.Dropout(0.4), keras.layers.Dense(1),
    ])
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False, **more)
    return model
"""
"""First lines of a script."""

_LAST = """
import hashlib, json, sys
from wandb_repro.keras import variables_of
told = hashlib.sha256()
for one in variables_of(model):
    told.update(one.value.tobytes())
import pathlib
pathlib.Path("ended.json").write_text(json.dumps({
    "bits": told.hexdigest(), "history": model.history.history, "epochs": model.history.epoch,
}))
"""

_PARENT = '''
import json, os, pathlib, random, signal, sys, time
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras, numpy, tensorflow, xxhash
from wandb_repro.keras import ReproCallback, ReproCheckpoint

def begun(plan, folder, log):
    os.makedirs(folder, exist_ok=True)
    child = os.fork()
    if child:
        return child
    os.chdir(folder)
    for number, name in ((1, log), (2, log)):
        os.dup2(os.open(name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    code = 1
    try:
        script = open(plan["script"]).read()
        exec(compile(script, plan["script"], "exec"), {"__name__": "__main__"})
        code = 0
        import atexit
        atexit._run_exitfuncs()
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        sys.stdout.flush(); sys.stderr.flush()
        os._exit(code)

def saved(folder):
    return sorted(pathlib.Path(folder).glob("ckpt/fit-*.ckpt"))

def ended(child, until, stopped, seen=None):
    """Return the status of a child that ends before; None of one that trains on."""
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if seen is not None and [it.name for it in saved(stopped)] != seen:
            return None
        time.sleep(0.002)

def carried_out(plan):
    draw = random.Random(plan["seed"])
    stopped = plan["stopped"]
    started = time.time()
    child = begun(plan, plan["never"], "log.txt")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    files = saved(plan["never"])
    told = {"never": code, "killed": 0, "attempts": 0}
    if not files:
        return told
    first = files[0].stat().st_mtime - started
    epoch = (files[-1].stat().st_mtime - files[0].stat().st_mtime) / max(1, len(files) - 1)
    brake = pathlib.Path(stopped, "brake")
    brake.parent.mkdir()
    while told["attempts"] < 200:
        told["attempts"] += 1
        brake.touch() if told["killed"] < plan["kills"] else brake.unlink(missing_ok=True)
        before = [it.name for it in saved(stopped)]
        child = begun(plan, stopped, "log.txt")
        if told["killed"] < plan["kills"]:
            # At any moment: now and then before the first epoch is over, else within some epochs.
            now = time.monotonic()
            if draw.random() < 0.2:
                status = ended(child, now + draw.uniform(0, first), stopped, before)
            else:
                status = ended(child, now + 60, stopped, before)
                if status is None:
                    until = time.monotonic() + draw.uniform(0, 1.5 * epoch)
                    status = ended(child, until, stopped)
            if status is None:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                told["killed"] += 1
                continue
        else:
            status = os.waitpid(child, 0)[1]
        told["stopped"] = os.waitstatus_to_exitcode(status)
        break
    return told

for line in sys.stdin:
    print(json.dumps(carried_out(json.load(open(line.strip())))), flush=True)
'''


@dataclass(frozen=True)
class Outcome:
    """A training that was killed, and the same one that was not."""

    never: dict[str, object]
    """What the one that was never stopped ended with."""
    stopped: dict[str, object]
    killed: int
    log: str
    """What the attempts said."""
    log_of_never: str


class Parent:
    """A process that imported the frameworks and forks each attempt of each training."""

    def __init__(self, folder: Path) -> None:
        self._child = begun_child(folder / "parent", _PARENT, stdin=subprocess.PIPE)

    def carry_out(self, plan: Path) -> dict[str, int]:
        """Train as a plan says; return exit codes and counts."""
        process = self._child.process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{plan}\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        process = self._child.process
        process.communicate(timeout=60)
        assert process.returncode == 0


@pytest.fixture(scope="module")
def killing_parent(tmp_path_factory: pytest.TempPathFactory) -> Generator[Parent]:
    """Give the process that forks the trainings of this file."""
    parent = Parent(tmp_path_factory.mktemp("killed"))
    yield parent
    parent.close()


def killed_and_resumed(
    parent: Parent, folder: Path, script: str, *, kills: int, seed: int = 1
) -> Outcome:
    """Train once without a stop; and once killed at random moments, started again each time.

    Args:
        parent: forks each attempt.
        folder: for both.
        script: trains ``model`` with a ``ReproCheckpoint("ckpt")``; ``COMMON`` stands before it.
        kills: how often. A training that ends before is ended too early for the rest.
        seed: of the moments.
    """
    path = folder / "script.py"
    path.write_text(COMMON + textwrap.dedent(script) + _LAST)
    never, stopped = folder / "never", folder / "stopped"
    plan = {
        "script": str(path),
        "seed": seed,
        "kills": kills,
        "never": str(never),
        "stopped": str(stopped),
    }
    told = folder / "plan.json"
    told.write_text(json.dumps(plan))
    codes = parent.carry_out(told)
    logs = [path.read_text() if path.exists() else "" for path in (stopped / LOG, never / LOG)]
    assert (codes["never"], codes.get("stopped")) == (0, 0), "\n".join([str(codes), *logs])
    ended = [json.loads((it / "ended.json").read_text()) for it in (never, stopped)]
    return Outcome(ended[0], ended[1], codes["killed"], *logs)
