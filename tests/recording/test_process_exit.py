"""How a recorded process can end: each way in a child process of its own, all at once."""

from __future__ import annotations

import signal
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.training import (
    SMALL_MODEL,
    Ended,
    Recorded,
    begun_child,
    forked_children,
    waited_for,
)
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.manifest import Ending
from wandb_repro.recording.process_exit import cure

BEGIN = f"""
import wandb_repro
run = wandb_repro.init(project="p", seed=7, **OPTIONS)
{SMALL_MODEL}
import os, signal, sys, time
from wandb_repro.keras import ReproCallback
import tensorflow as tf

class After(keras.callbacks.Callback):
    def __init__(self, act):
        super().__init__()
        self.act = act

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 2:
            self.act()

def train(act=lambda: None):
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(12).batch(4)
    model = small_model()
    model.fit(dataset, epochs=5, verbose=0, callbacks=[ReproCallback(), After(act)])
    print("trained", float(model.get_weights()[0].sum()).hex())
"""

WAYS = {
    "forgets to finish": "train()",
    "is killed": "train(lambda: os.kill(os.getpid(), signal.SIGKILL))",
    "is interrupted": "train(lambda: signal.raise_signal(signal.SIGINT))",
    "fails": "train(lambda: {}['absent'])",
    "exits in fit": "train(lambda: sys.exit(3))",
    "exits after fit": "train(); sys.exit(3)",
    "fails after fit": "train(); raise ValueError('late')",
    "is terminated": """
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
train(lambda: os.kill(os.getpid(), signal.SIGTERM))
""",
    "has a full disk": """
import resource
def fill():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    written = os.stat(os.path.join(run.dir, "repro", "trail.jsonl")).st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (written + 100, resource.RLIM_INFINITY))
train(fill)
""",
    "needs determinism": """
def random_without_a_seed():
    tf.random.Generator.from_non_deterministic_state()
train(random_without_a_seed)
""",
}

BEFORE_THE_IMPORT = {
    "forgets to finish": {},
    "has a full disk": {},  # its limit holds for every file, so what it prints goes into a pipe
    "needs determinism": {"deterministic": True},
}
"""These are processes of their own, with ``init`` before Keras is imported; and their options."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ended]:
    """Return how each child ended."""
    folder = tmp_path_factory.mktemp("ended")
    begun = {
        way: begun_child(folder / way.replace(" ", "-"), script_of(way, options))
        for way, options in BEFORE_THE_IMPORT.items()
    }
    others = {way: script_of(way, {}) for way in WAYS if way not in BEFORE_THE_IMPORT}
    first = {way: waited_for(child, 300) for way, child in begun.items()}
    return {**first, **forked_children(folder, others)}


def script_of(way: str, options: Mapping[str, object]) -> str:
    return BEGIN.replace("OPTIONS", repr(dict(options))) + WAYS[way]


def the(ended: Ended) -> Recorded:
    (recorded,) = ended.recorded
    return recorded


def epochs(recorded: Recorded) -> list[int]:
    return [epoch for moment, epoch, _ in recorded.moments() if moment == "epoch"]


def assert_bundle_is_whole(recorded: Recorded) -> None:
    code = recorded.manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.bundle, BundleFile)
    assert sha256_of_file(recorded.capsule.bundle) == code.bundle.sha256


def test_a_script_that_never_finishes_its_run_is_recorded_to_the_end(
    ended: Mapping[str, Ended],
) -> None:
    done = ended["forgets to finish"]
    recorded = the(done)
    assert done.returncode == 0, done.err
    assert epochs(recorded) == [1, 2, 3, 4, 5]
    assert recorded.manifest.ending == Ending(status="finished")
    assert_bundle_is_whole(recorded)


def test_a_run_killed_after_three_epochs_has_three_epochs_a_manifest_and_the_code(
    ended: Mapping[str, Ended],
) -> None:
    done = ended["is killed"]
    recorded = the(done)
    assert done.returncode == -signal.SIGKILL
    # Our callback stands before the one that kills, so the third epoch is on the disk already.
    assert epochs(recorded) == [1, 2, 3]
    assert recorded.trail.end is None
    assert isinstance(recorded.manifest.ending, Unavailable)
    assert_bundle_is_whole(recorded)


@pytest.mark.parametrize(
    ("way", "returncode", "ending", "line"),
    [
        (
            "is interrupted",
            -signal.SIGINT,
            Ending(status="interrupted", detail="KeyboardInterrupt"),
            WAYS["is interrupted"],
        ),
        ("fails", 1, Ending(status="failed", detail="KeyError"), WAYS["fails"]),
        (
            "exits in fit",
            3,
            Ending(status="failed", detail="SystemExit", exit_code=3),
            WAYS["exits in fit"],
        ),
        (
            "exits after fit",
            3,
            Ending(status="failed", detail="SystemExit", exit_code=3),
            WAYS["exits after fit"],
        ),
        (
            "fails after fit",
            1,
            Ending(status="failed", detail="ValueError"),
            WAYS["fails after fit"],
        ),
        (
            "is terminated",
            128 + signal.SIGTERM,
            Ending(
                status="interrupted",
                detail="SystemExit",
                exit_code=128 + signal.SIGTERM,
                signal="SIGTERM",
            ),
            "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))",
        ),
    ],
)
def test_how_and_where_the_script_ended_is_recorded_and_its_exit_is_its_own(
    ended: Mapping[str, Ended], way: str, returncode: int, ending: Ending, line: str
) -> None:
    done = ended[way]
    recorded = the(done)
    assert done.returncode == returncode, done.err
    found = recorded.manifest.ending
    assert isinstance(found, Ending)
    assert found.model_copy(update={"place": ""}) == ending
    assert text_at(found.place, script_of(way, {})) == line
    assert recorded.trail.end is not None
    assert recorded.trail.end.status == ending.status
    assert epochs(recorded)[:3] == [1, 2, 3]
    assert [line for line in done.ours if "warning" in line] == []


def text_at(place: str, script: str) -> str:
    """Return the line of the script at a place; empty for no place."""
    file, _, number = place.partition(":")
    assert file in ("train.py", "")
    return textwrap.dedent(script).splitlines()[int(number) - 1] if number else ""


def test_on_a_full_disk_training_ends_well_and_what_was_recorded_stays(
    ended: Mapping[str, Ended],
) -> None:
    done = ended["has a full disk"]
    recorded = the(done)
    assert done.returncode == 0, done.err
    assert "trained" in done.out
    assert epochs(recorded) == [1, 2, 3]
    assert recorded.manifest.execution.seed == "7"
    warnings = [line for line in done.ours if "warning" in line]
    assert sum("the weights" in line for line in warnings) <= 1
    assert len(warnings) == len(set(warnings)) <= 3
    assert_bundle_is_whole(recorded)


def test_the_same_seed_gives_the_same_training_set_before_or_after_the_import(
    ended: Mapping[str, Ended],
) -> None:
    begun = {way: the(done).roots()[:5] for way, done in ended.items()}
    assert begun == dict.fromkeys(WAYS, begun["forgets to finish"])
    trained = {done.out for done in ended.values() if done.out}
    assert len(trained) == 1
    early = [way for way in WAYS if "before import" in str(the(ended[way]).manifest)]
    assert early == list(BEFORE_THE_IMPORT)


def test_determinism_asked_for_before_the_import_is_on_when_training_begins(
    ended: Mapping[str, Ended],
) -> None:
    asked = the(ended["needs determinism"]).manifest
    assert "op_determinism=True" in str(asked.description.runtime)
    assert "right after tensorflow was imported" in str(asked.description.determinism)
    other = the(ended["forgets to finish"]).manifest
    assert "op_determinism=False" in str(other.description.runtime)


def test_an_operation_that_determinism_refuses_fails_as_ever_and_the_cure_is_said(
    ended: Mapping[str, Ended],
) -> None:
    done = ended["needs determinism"]
    assert done.returncode == 1
    assert "RuntimeError: " in done.err
    assert "from_non_deterministic_state" in done.err
    assert sum("deterministic=True makes TensorFlow refuse" in line for line in done.ours) == 1
    ending = the(done).manifest.ending
    assert isinstance(ending, Ending)
    assert (ending.status, ending.detail) == ("failed", "RuntimeError")


def test_a_cure_is_known_for_errors_of_determinism_only() -> None:
    unseeded = RuntimeError("Random ops require a seed to be set when determinism is enabled.")
    formless = RuntimeError("A deterministic GPU implementation of Foo is not available")
    assert "init(seed=...)" in cure(unseeded)
    assert "without deterministic=True" in cure(formless)
    assert cure(RuntimeError("shapes do not fit")) == ""


NO_FRAMEWORK = """
import sys
before = (list(sys.meta_path), sys.excepthook)
import signal
handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
import wandb_repro
wandb_repro.__version__
import wandb_repro.api
assert (list(sys.meta_path), sys.excepthook) == before
assert {number: signal.getsignal(number) for number in signal.valid_signals()} == handlers
heavy = {"wandb", "keras", "tensorflow", "git", "numpy", "jax", "torch"} & set(sys.modules)
assert not heavy, heavy
"""


def test_importing_us_changes_nothing_and_imports_nothing_heavy(tmp_path: Path) -> None:
    done = waited_for(begun_child(tmp_path, NO_FRAMEWORK))
    assert (done.returncode, done.err) == (0, "")
