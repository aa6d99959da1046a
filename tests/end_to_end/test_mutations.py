"""One thing is changed in a real training: its step, its tensor and its cause are named.

What a script does is changed in one process, run after run; what a process is started with, in one
more process for each. A training of two epochs, three steps each; what is spoiled is spoiled at the
fifth step.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.environments import make_wheel
from wandb_repro.rerun.environment.uv import find_uv
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.verify_capsules import verify_capsules

TRAIN = '''\
"""Trains a small convolutional network once for each word in MUTATIONS."""

import os
import threading

import keras
import numpy as np
import tensorflow as tf

import wandb_repro
from wandb_repro.keras import ReproCallback

X = np.random.default_rng(0).normal(size=(192, 8, 8, 1)).astype("float32")
if os.environ["MUTATIONS"].startswith("scaling"):
    import scaling

    X = scaling.scaled(X)
if os.environ["MUTATIONS"].startswith("numpy"):
    mixing = np.random.default_rng(3).normal(size=(64, 64)).astype("float32")
    X = (X.reshape(192, 64) @ mixing).reshape(X.shape) / 8
Y = (np.arange(192) % 10).astype("int32")


class Flip(keras.callbacks.Callback):
    """Flips the last bit of one weight after the fourth step."""

    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == 4:
            kernel = self.model.layers[0].kernel
            value = np.array(kernel)
            value.view("int32").reshape(-1)[0] ^= 1
            kernel.assign(value)


class Shared(keras.utils.PyDataset):
    """Two workers draw noise from one generator; which of them draws first is settled here."""

    def __init__(self, first):
        super().__init__(workers=2)
        self.rng = np.random.default_rng(1)
        self.first = first
        self.drawn = threading.Event()

    def __len__(self):
        return 3

    def __getitem__(self, index):
        # Keras reads some batches in the main thread before, to see their shapes.
        in_worker = threading.current_thread() is not threading.main_thread()
        if in_worker and index != self.first:
            self.drawn.wait(60)
        noise = self.rng.normal(size=(64, 8, 8, 1)).astype("float32")
        if in_worker:
            self.drawn.set()
        rows = slice(64 * index, 64 * index + 64)
        return X[rows] + noise, Y[rows]


def batches(mutation):
    epochs = 0

    def one_epoch():
        nonlocal epochs
        epochs += 1
        order = [0, 1, 2]
        if mutation == "swap" and epochs == 2:
            order = [0, 2, 1]
        for place, batch in enumerate(order):
            x, y = X[64 * batch : 64 * batch + 64].copy(), Y[64 * batch : 64 * batch + 64]
            if mutation == "example" and (epochs, place) == (2, 1):
                x[7] = -x[7]
            yield x, y

    like = (tf.TensorSpec((64, 8, 8, 1), "float32"), tf.TensorSpec((64,), "int32"))
    found = tf.data.Dataset.from_generator(one_epoch, output_signature=like)
    return found.apply(tf.data.experimental.assert_cardinality(3))


def train(mutation):
    keras.utils.clear_session()
    run = wandb_repro.init(
        project="mutations",
        id=mutation,
        config={"lr": 2e-3 if mutation == "lr" else 1e-3},
        seed=7,
        deterministic=True if mutation == "deterministic" else None,
    )
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.2, seed=2 if mutation == "dropout" else 1),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(run.config["lr"]), loss, jit_compile=mutation == "jit")
    callbacks = [ReproCallback(steps=1), *([Flip()] if mutation == "flip" else [])]
    if mutation.startswith("workers"):
        data = Shared(first=int(mutation[-1]) - 1)
    else:
        data = batches(mutation)
    model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    run.finish()


for mutation in os.environ["MUTATIONS"].split():
    train(mutation)
'''

pytestmark = pytest.mark.timeout(2400)

IN_SCRIPT = "base again flip example swap lr dropout jit workers-1 workers-2 deterministic"
SETTINGS = {
    "onednn-off": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    # oneDNN's own kernels gave the same bits on one thread and on two; TensorFlow's did not.
    "one-thread": {"TF_ENABLE_ONEDNN_OPTS": "0", "TF_NUM_INTRAOP_THREADS": "1"},
    "capped": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
}
# Packages in two real versions, put before the others on the path by uv.
SCALING = ("scaling-1.0", "scaling-1.1")
OTHER_NUMPY, OTHER_KERAS = "2.2.6", "3.14.0"
USUAL = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_REPRO_SILENT": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_NUM_INTRAOP_THREADS": "2",
    # By itself it is on where the processor has instructions for networks, and off elsewhere.
    "TF_ENABLE_ONEDNN_OPTS": "1",
}


DROPPED = ("WANDB_", "TF_", "PYTHON", "ONEDNN_", "MUTATIONS")
PRODUCT = """
import hashlib
import numpy as np

x = np.random.default_rng(0).normal(size=(192, 64)).astype("float32")
mixing = np.random.default_rng(3).normal(size=(64, 64)).astype("float32")
print(hashlib.sha256((x @ mixing).tobytes()).hexdigest())
"""


@dataclass(frozen=True)
class Runs:
    """What was recorded, by the name of what was changed."""

    folder: Path

    def record(self, names: str, **environ: str) -> None:
        """Train once for each name, in one process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        own = {**USUAL, **environ, "WANDB_DIR": str(self.folder), "MUTATIONS": names}
        command = [sys.executable, "train.py"]
        subprocess.run(command, cwd=self.folder, env={**kept, **own}, check=True, timeout=900)

    @property
    def first(self) -> Path:
        """Where packages are that come before all others: no part of the source tree."""
        return self.folder.with_name(f"{self.folder.name}-first")

    def record_with(self, name: str, *what: str) -> None:
        """Train with a package installed before all others."""
        shutil.rmtree(self.first, ignore_errors=True)
        words = ["pip", "install", "--quiet", "--no-deps", "--target", str(self.first), *what]
        own = ["--python", sys.executable]
        subprocess.run([str(find_uv()), "--no-config", *words, *own], check=True, cwd="/")
        self.record(name, PYTHONPATH=str(self.first))

    def probe(self, code: str, **environ: str) -> str:
        """Return what a few lines print, apart from any training."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**kept, **USUAL, **environ},
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.stdout

    def capsule(self, name: str) -> Capsule:
        """Return what a training left, one of another setting trained when first asked for."""
        if name in SETTINGS and not list((self.folder / "wandb").glob(f"*-{name}")):
            self.record(name, **SETTINGS[name])
        (run,) = (self.folder / "wandb").glob(f"offline-run-*-{name}")
        return Capsule(run / "files" / "repro")

    def verdict(self, name: str, original: str = "base") -> Verdict:
        """Return the verdict on what was changed."""
        return verify_capsules(self.capsule(original), self.capsule(name))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Give the trainings, each recorded once; a dozen of them in one process."""
    made = Runs(tmp_path_factory.mktemp("mutations"))
    (made.folder / "train.py").write_text(TRAIN)
    made.record(IN_SCRIPT)
    return made


@pytest.mark.slow
def test_nothing_changed_is_identical(runs: Runs) -> None:
    verdict = runs.verdict("again")

    assert verdict.grade == "identical", verdict


CONV, OTHER_CONV = "conv2d/kernel", "conv2d_1/kernel"

# Changes whose effect is certain. For each: the step that is named (0: the initial state), a word
# of the tensor that is named first, what moved first, and kind and fact of the cause ranked first.
NAMED: dict[str, tuple[int, str, str, str, str]] = {
    "flip": (5, CONV, "state", "code", "weights between steps"),
    "example": (5, CONV, "data", "data", "batches"),
    "swap": (5, CONV, "data", "data", "batches"),
    "lr": (0, "learning_rate", "initial state", "model", "learning_rate of optimizer"),
    "dropout": (0, "seed_generator", "initial state", "model", "seed of layer dropout"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_what_was_changed_is_named_by_step_tensor_and_cause(runs: Runs, name: str) -> None:
    check_named(runs.verdict(name), *NAMED[name])


# Changes of which the processor decides whether they change bits, and of what first. For each: the
# original, and kind and fact of the difference.
BY_PROCESSOR: dict[str, tuple[str, str, str]] = {
    "jit": ("base", "model", "jit_compile of the model"),
    "one-thread": ("onednn-off", "threads", "intra-op threads"),
    "onednn-off": ("base", "switch", "TF_ENABLE_ONEDNN_OPTS"),
    "capped": ("base", "switch", "ONEDNN_MAX_CPU_ISA"),
    "base": ("deterministic", "determinism", "determin"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_PROCESSOR)
def test_another_way_to_compute_is_a_difference_and_the_cause_where_bits_differ(
    runs: Runs, name: str
) -> None:
    original, kind, fact = BY_PROCESSOR[name]

    verdict = runs.verdict(name, original=original)

    both = [read_manifest(runs.capsule(which)) for which in (original, name)]
    assert {it.kind for it in differences(*both) if fact in it.fact} == {kind}
    if verdict.grade == "identical":
        return
    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.first.step >= 1  # both started from the same state
    assert verdict.moved is not None
    assert "initial" not in verdict.moved.what
    assert verdict.causes[0].kind == kind
    assert fact in verdict.causes[0].fact
    assert verdict.causes[0].cure or verdict.causes[0].original


def check_named(verdict: Verdict, step: int, tensor: str, moved: str, kind: str, fact: str) -> None:
    """Check step, first tensor, what moved first, and the cause that is ranked first."""
    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.moved is not None
    assert verdict.first.step == step
    assert tensor in verdict.first.leaves[0].label
    assert verdict.first.leaves[0].shape == SHAPES[verdict.first.leaves[0].label]
    places = [leaf.place for leaf in verdict.first.leaves]
    assert places == sorted(places)
    assert moved in verdict.moved.what
    assert verdict.causes[0].kind == kind
    assert fact in verdict.causes[0].fact
    assert verdict.causes[0].cure or verdict.causes[0].original


SHAPES: dict[str, tuple[int, ...]] = {
    f"sequential/{CONV}": (3, 3, 1, 32),
    f"sequential/{OTHER_CONV}": (3, 3, 32, 64),
    "adam/learning_rate": (),
    "seed_generator/seed_generator_state": (2,),
}


@pytest.mark.slow
def test_determinism_that_is_off_is_mended_by_an_argument_of_init(runs: Runs) -> None:
    on, off = (read_manifest(runs.capsule(name)) for name in ("deterministic", "base"))

    found = [(it.original, it.cure) for it in differences(on, off)]

    assert ("on", "pass deterministic=True to init") in found


@pytest.mark.slow
def test_workers_that_share_a_generator_are_named(runs: Runs) -> None:
    verdict = runs.verdict("workers-2", original="workers-1")

    assert verdict.first is not None
    check_named(verdict, verdict.first.step, CONV, "data", "data", "batches")
    assert verdict.first.step >= 1
    assert "parallel worker" in verdict.causes[0].cure


@pytest.mark.slow
def test_another_version_of_a_package_that_prepares_the_data_is_named(
    runs: Runs, tmp_path: Path
) -> None:
    for name, factor in zip(SCALING, ("1", "1.0000001"), strict=True):
        text = f"import numpy as np\n\n\ndef scaled(x):\n    return x * np.float32({factor})\n"
        version = name.removeprefix("scaling-")
        wheel = make_wheel(tmp_path, "scaling", version, files={"scaling.py": text})
        runs.record_with(name, str(wheel))

    verdict = runs.verdict(SCALING[1], original=SCALING[0])

    check_named(verdict, 1, CONV, "data", "package", "scaling")
    assert verdict.causes[0].cure == "install scaling==1.0"


@pytest.mark.slow
@pytest.mark.registry
def test_another_numpy_that_prepares_the_data_is_named(runs: Runs) -> None:
    runs.record("numpy-here")
    runs.record_with("numpy-other", f"numpy=={OTHER_NUMPY}")

    verdict = runs.verdict("numpy-other", original="numpy-here")

    if verdict.grade == "identical":
        first = str(runs.first)
        assert runs.probe(PRODUCT, PYTHONPATH=first) == runs.probe(PRODUCT), "the data is not seen"
        pytest.skip(f"NumPy {OTHER_NUMPY} gives the same product here, as it does by itself")
    check_named(verdict, 1, CONV, "data", "package", "numpy")


@pytest.mark.slow
@pytest.mark.registry
def test_another_keras_is_named_where_it_changes_bits_and_is_no_difference_where_not(
    runs: Runs,
) -> None:
    runs.record_with("keras-other", f"keras=={OTHER_KERAS}")

    verdict = runs.verdict("keras-other")

    one, two = read_manifest(runs.capsule("base")), read_manifest(runs.capsule("keras-other"))
    (told,) = [it for it in differences(one, two) if it.fact == "keras"]
    assert (told.here, told.effect) == (OTHER_KERAS, "changes bits")
    if verdict.grade == "identical":
        pytest.skip(
            f"Keras {OTHER_KERAS} gave every bit that {told.original} gave: nothing to name"
        )
    assert verdict.causes[0].fact == "keras"
