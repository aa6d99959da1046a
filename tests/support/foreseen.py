"""What ``check`` foresees of a training in another setting, and what that training then gives.

The same small network is trained for each setting in a process of its own, in the environment that
``check --by-hand`` was asked about just before.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.recorded import newcomer
from wandb_repro.store.capsule import Capsule
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.verify_capsules import verify_capsules

__all__ = ["HARMLESS", "SETTINGS", "Both", "Laboratory", "Setting"]

TRAIN = '''\
"""Trains a network with layers of many kinds for a few steps."""

import os

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

seed = int(os.environ.get("LAB_SEED", "7"))
asked = {"on": True, "off": False}.get(os.environ.get("LAB_DETERMINISTIC", ""))
run = wandb_repro.init(project="lab", seed=seed, deterministic=asked)
random = np.random.default_rng(0)
x = random.normal(size=(96, 16, 16, 3)).astype("float32")
y = (np.arange(96) % 10).astype("int32")
layers = keras.layers
model = keras.Sequential(
    [
        keras.Input((16, 16, 3)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.UpSampling2D(2, interpolation="bilinear"),
        layers.Conv2D(32, 3, strides=2, activation="relu"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(10),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, jit_compile=os.environ.get("LAB_JIT") == "on")
model.fit(x, y, epochs=2, batch_size=32, verbose=0, callbacks=[ReproCallback(steps=1)])
run.finish()
'''

USUAL = {"TF_NUM_INTRAOP_THREADS": "2", "TF_ENABLE_ONEDNN_OPTS": "0"}
"""With oneDNN's operations on, the width did not change this network's bits on every processor."""


@dataclass(frozen=True)
class Setting:
    """What is other than when the original was recorded."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables; an empty value takes one away."""
    asked: tuple[str, ...] = ()
    """What ``check`` is told of it, where it is in the script and not in the environment."""
    cores: int | None = None
    """Cores that the processes may use."""
    elsewhere: bool = False
    """Train from another folder."""


SETTINGS: dict[str, Setting] = {
    "nothing": Setting(),
    "1 thread": Setting({"TF_NUM_INTRAOP_THREADS": "1"}),
    "4 threads": Setting({"TF_NUM_INTRAOP_THREADS": "4"}),
    "width not set, 1 core": Setting({"TF_NUM_INTRAOP_THREADS": ""}, cores=1),
    "width as recorded, 1 core": Setting(cores=1),
    "oneDNN operations on": Setting({"TF_ENABLE_ONEDNN_OPTS": "1"}),
    "capped to AVX2": Setting({"ONEDNN_MAX_CPU_ISA": "AVX2"}),
    "capped to SSE4.1": Setting({"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "op determinism on": Setting({"LAB_DETERMINISTIC": "on"}, asked=("--deterministic",)),
    "TF_DETERMINISTIC_OPS=1": Setting({"TF_DETERMINISTIC_OPS": "1"}),
    "XLA, by a variable": Setting({"TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"}),
    "another seed": Setting({"LAB_SEED": "8"}, asked=("--seed", "8")),
    "hash seed": Setting({"PYTHONHASHSEED": "3"}),
    "time zone and language": Setting({"TZ": "Asia/Tokyo", "LC_ALL": "C"}),
    "another folder": Setting(elsewhere=True),
    "4 inter-op threads": Setting({"TF_NUM_INTEROP_THREADS": "4"}),
    "OpenMP threads": Setting({"OMP_NUM_THREADS": "1"}),
    "a GPU's switch": Setting({"NVIDIA_TF32_OVERRIDE": "0"}),
}


HARMLESS = (
    *("nothing", "hash seed", "time zone and language", "another folder"),
    *("4 inter-op threads", "OpenMP threads", "a GPU's switch"),
)
"""Settings that change no bits, and that one training can have all at once."""


def _all_at_once() -> Setting:
    return Setting(
        {name: value for one in HARMLESS for name, value in SETTINGS[one].variables.items()},
        elsewhere=True,
    )


@dataclass(frozen=True)
class Both:
    """What was foreseen of a setting, and what was seen."""

    foreseen: str
    """``identical``, ``different``, ``perhaps`` or ``unknown``."""
    why: tuple[str, ...]
    """What stands in the way."""
    seen: str
    """The verdict's grade."""
    at: str
    """Where it differed."""

    @property
    def is_broken_promise(self) -> bool:
        """Whether identical bits were foreseen and others came."""
        return self.foreseen == "identical" and self.seen != "identical"


class Laboratory:
    """A recorded training, and others like it in other settings."""

    def __init__(self, folder: Path, python: str | Path = sys.executable) -> None:
        self.folder = folder
        self._python = python
        home = folder / "home"
        home.mkdir(parents=True)
        (home / "train.py").write_text(TRAIN)
        self.original = self._train("original", Setting(), python)
        self._harmless: Verdict | None = None

    def look(self, name: str, setting: Setting, python: str | Path = "") -> Both:
        """Foresee, then train.

        Harmless settings share one training that has all of them; if it differs, each has its own,
        which shows whose fault it is.

        Args:
            name: of the setting; a folder is called so.
            setting: what is other.
            python: another environment's interpreter.
        """
        used = python or self._python
        words = ["-m", "wandb_repro", "check", str(self.original.folder.parent.parent)]
        asked = [*words, "--by-hand", "--json", *setting.asked]
        done = self._started([str(used), *asked], setting, self.folder / "home")
        answer = json.loads(done.stdout)
        verdict = self._seen(name, setting, used)
        return Both(
            foreseen=answer["expected"],
            why=tuple(one["fact"] for one in answer["findings"]),
            seen=verdict.grade,
            at=verdict.first.what if verdict.first else "",
        )

    def _seen(self, name: str, setting: Setting, python: str | Path) -> Verdict:
        if name in HARMLESS and python == self._python:
            if self._harmless is None:
                together = self._train("all at once", _all_at_once(), python)
                self._harmless = verify_capsules(self.original, together)
            if self._harmless.grade == "identical":
                return self._harmless
        return verify_capsules(self.original, self._train(name, setting, python))

    def _train(self, name: str, setting: Setting, python: str | Path) -> Capsule:
        folder = self.folder / "home"
        if setting.elsewhere:
            folder = self.folder / "elsewhere" / "deep"
            shutil.copytree(self.folder / "home", folder, dirs_exist_ok=True)
        place = self.folder / "runs" / name.replace(" ", "-").replace(",", "")
        place.mkdir(parents=True)
        self._started([str(python), "train.py"], setting, folder, WANDB_DIR=str(place))
        (run,) = place.glob("wandb/offline-run-*")
        return Capsule(run / "files" / "repro")

    def _started(
        self, command: list[str], setting: Setting, cwd: Path, **more: str
    ) -> subprocess.CompletedProcess[str]:
        told = {**USUAL, "PYTHONHASHSEED": "0", **setting.variables, **more}
        environ = newcomer(**{name: value for name, value in told.items() if value})
        if setting.cores is not None:
            cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: setting.cores]))
            command = ["taskset", "-c", cores, *command]
        done = subprocess.run(
            command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=900
        )
        if "train.py" in command and done.returncode:
            raise RuntimeError(f"the training failed: {done.stderr[-2000:]}")
        return done
