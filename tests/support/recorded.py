"""Runs that were recorded once, offline, by real child processes, and copies of their capsules.

Most tests of a rerun need no network of neurons: a training of four numbers by NumPy calls the
same session that the Keras callback calls, and starts in two seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pytest
from click.testing import CliRunner

from tests.support.records import changed
from tests.support.repositories import Repository, repository
from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.cli.main import main
from wandb_repro.files import CACHE_VARIABLE
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.message_handler import SILENT_VARIABLE
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail

__all__ = [
    "KERAS",
    "NUMBERS",
    "Answer",
    "Ask",
    "Project",
    "ask",
    "begun",
    "interrupted_when",
    "keras_run",
    "killed_run",
    "newcomer",
    "numbers",
    "with_manifest",
]

NUMBERS = '''\
"""Trains four numbers. NUMBERS_DO says what goes wrong, and in which epoch: fail:2."""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from network import SIZE

import wandb_repro
from wandb_repro.capture.weights import Variable
from wandb_repro.api import find_session
from wandb_repro.recording.trail_sink import Point

what, _, when = os.environ.get("NUMBERS_DO", "").partition(":")
if what == "nothing":
    sys.exit(0)

run = wandb_repro.init(project="numbers", config={"epochs": 3}, seed=7)
session = find_session(run)
weights = np.random.normal(size=SIZE)
for path in sys.argv[1:]:
    if not path.startswith("-"):
        weights += float(Path(path).read_text())


def digest(moment, epoch):
    metrics = {"loss": float(weights.sum()).hex()} if moment == "epoch" else {}
    variables = [Variable("trainable", "dense/kernel", weights)]
    session.weights(Point(moment, session.fits, epoch, 2 * epoch, metrics), variables)


session.begin_fit(None)
digest("initial", 0)
for epoch in range(1, run.config["epochs"] + 1):
    weights += np.random.normal(size=SIZE)
    if what == "differ" and epoch == int(when):
        weights[0] = np.nextafter(weights[0], 9)
    print(f"epoch {epoch} of numbers", flush=True)
    digest("epoch", epoch)
    if what == "fail" and epoch == int(when):
        raise ValueError("the disk with the images is gone")
    if what == "kill" and epoch == int(when):
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "wait" and epoch == int(when):
        print(f"waiting {os.getpid()}", flush=True)
        time.sleep(60)
digest("final", run.config["epochs"])
session.end_fit(session.fits)
'''

KERAS = """\
import keras
import numpy as np
from network import SIZE

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="dense", config={"epochs": 2}, seed=7)
x = np.arange(48, dtype="float32").reshape(12, 4) / 48
wandb_repro.fingerprint("train", x)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(SIZE), keras.layers.Dropout(0.5)])
model.compile("adam", "mse", jit_compile=False)
model.fit(x, x, epochs=run.config["epochs"], shuffle=False, verbose=0, callbacks=[ReproCallback()])
"""

_DROPPED = (
    "WANDB_",
    "TF_",
    "PYTHON",
    "NUMBERS_",
    "OMP_",
    "GIT_",
    "COLUMNS",
    "FORCE_COLOR",
    "CUBLAS_",
)

_KEPT = (CACHE_VARIABLE, STRICT_VARIABLE)


def newcomer(**more: str) -> dict[str, str]:
    """Return a newcomer's environment: W&B offline and quiet, no switch set."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_DROPPED) or name in _KEPT
    }
    own = {
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        SILENT_VARIABLE: "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return {**kept, **own, "CUDA_VISIBLE_DEVICES": "", **more}


@dataclass(frozen=True)
class Project:
    """A repository whose script was run, and what that left behind."""

    folder: Path

    @property
    def repository(self) -> Repository:
        """Its repository."""
        return Repository(self.folder)

    @property
    def run_folder(self) -> Path:
        """Folder of the last offline run."""
        return (self.folder / "wandb" / "latest-run").resolve()

    @property
    def capsule(self) -> Capsule:
        """The capsule of the last run."""
        return Capsule(self.run_folder / "files" / "repro")

    def capsules(self) -> list[Path]:
        """Return the folders of all capsules, the last one made as the last."""
        found = (self.folder / "wandb").glob("offline-run-*/files/repro")
        return sorted(found, key=lambda folder: (folder / "trail.jsonl").stat().st_ctime_ns)

    @property
    def manifest(self) -> Manifest:
        """Its manifest, checked."""
        return read_manifest(self.capsule)

    @property
    def trail(self) -> Trail:
        """Its trail, checked."""
        return read_trail(self.capsule)

    def reruns(self) -> list[Path]:
        """Return the folders of reruns that were left here."""
        return sorted((self.folder / "wandb").glob("rerun-*"))

    def copy(self, folder: Path) -> Project:
        """Return a copy that a test may spoil; the recorded root stays where it was."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder)

    def record(
        self,
        *words: str,
        cwd: str = ".",
        python: str | Path = sys.executable,
        stdin: IO[bytes] | int = subprocess.DEVNULL,
        **environ: str,
    ) -> subprocess.Popen[bytes]:
        """Start a command here, recorded, and return it when it has ended."""
        process = subprocess.Popen(
            [python, *words],
            cwd=self.folder / cwd,
            env=newcomer(**{"WANDB_DIR": str(self.folder), **environ}),
            stdin=stdin,
        )
        process.wait(120)
        return process

    @classmethod
    def made(cls, folder: Path, script: str = NUMBERS) -> Project:
        """Return a repository with a committed script and a file that nobody has committed."""
        made = repository(folder, **{"train.py": script, ".gitignore": "wandb/\n*.txt\n"})
        made.write("network.py", "SIZE = 4\n")
        return cls(folder)


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a training of four numbers, three epochs. Copy it to change it."""
    project = Project.made(tmp_path_factory.mktemp("numbers") / "project")
    assert project.record("train.py").returncode == 0
    return project


@pytest.fixture(scope="session")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a run that was killed after its second epoch."""
    project = Project.made(tmp_path_factory.mktemp("killed") / "project")
    assert project.record("train.py", NUMBERS_DO="kill:2").returncode == -signal.SIGKILL
    return project


@pytest.fixture(scope="session")
def keras_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a small Keras training, two epochs. Copy it to change it."""
    project = Project.made(tmp_path_factory.mktemp("keras") / "project", KERAS)
    assert project.record("train.py").returncode == 0
    return project


def with_manifest(project: Project, changes: Mapping[str, object]) -> Manifest:
    """Write other values into a copy's manifest, its own digest made anew; return it."""
    manifest = changed(project.manifest, changes)
    project.capsule.manifest.write_bytes(manifest.to_bytes())
    return manifest


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as JSON; nothing else may stand there."""
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """Standard error with every run of white space as one blank."""
        return " ".join(self.err.split())

    @property
    def text(self) -> str:
        """Standard output with every run of white space as one blank."""
        return " ".join(self.out.split())


Ask = Callable[..., Answer]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Ask:
    """Give a function that runs a command in this process, in a newcomer's environment.

    Its arguments: the words, ``cwd``, and environment variables. What a training's process prints
    is part of the answer's ``err``.
    """

    def asked(*words: object, cwd: Path, typed: str = "", **environ: str) -> Answer:
        capfd.readouterr()
        with monkeypatch.context() as patch:
            patch.chdir(cwd)
            for name in set(os.environ) - set(newcomer()):
                patch.delenv(name)
            for name, value in newcomer(**environ).items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main, [str(word) for word in words], input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr + capfd.readouterr().err)

    return asked


@contextlib.contextmanager
def begun(*words: object, cwd: Path, **environ: str) -> Generator[subprocess.Popen[str]]:
    """Start ``wandb-repro`` as a process in a session of its own, and end it whatever happens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wandb_repro", *(str(word) for word in words)],
        cwd=cwd,
        env=newcomer(PYTHONUNBUFFERED="1", **environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def interrupted_when(process: subprocess.Popen[str], line: str, number: int) -> tuple[str, Answer]:
    """Wait for a line on standard error, send the signal, and return the line and the end."""
    stderr = cast("Any", process.stderr)
    seen: list[str] = []
    for found in iter(stderr.readline, ""):
        seen.append(found)
        if line in found:
            break
    else:
        pytest.fail(f"{line!r} was never said: {''.join(seen)}")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return seen[-1], Answer(process.returncode, out, "".join(seen) + err)
