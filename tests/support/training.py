"""Real trainings, tiny: in this process, or as child processes, on W&B's offline mode."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support import hidden_modules
from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.capture.host import Host
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Weights
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail

if TYPE_CHECKING:
    import wandb

__all__ = [
    "SMALL_MODEL",
    "Child",
    "Ended",
    "Recorded",
    "SmallHost",
    "World",
    "Young",
    "begun_child",
    "data",
    "dense_model",
    "finished",
    "forked_children",
    "log_of",
    "offline",
    "own_wandb",
    "recorded_in",
    "run_child",
    "summary_of",
    "tensorflow_data",
    "waited_for",
]

SMALL_MODEL = """
import keras
import numpy as np

def small_model():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse", jit_compile=False)
    return model

x = np.arange(48, dtype="float32").reshape(12, 4) / 48
y = x.sum(1, keepdims=True)
"""
"""First lines of a child's script; they import Keras."""


@dataclass(frozen=True)
class Recorded:
    """What one run left behind."""

    capsule: Capsule

    @property
    def manifest(self) -> Manifest:
        """Its manifest, which is believed only if its own digest fits."""
        return read_manifest(self.capsule)

    @property
    def trail(self) -> Trail:
        """Its trail, the chain checked."""
        return read_trail(self.capsule)

    def moments(self, fit: int = 1) -> list[tuple[str, int, int]]:
        """Return moment, epoch and step of each digest of a fit, in order."""
        return [
            (found.moment, found.epoch, found.step)
            for found in self.trail.weights
            if found.fit == fit
        ]

    def roots(self) -> list[str]:
        """Return the digest of each moment, in order."""
        return [found.root for found in self.trail.weights]

    def at(self, moment: str, *, fit: int = 1, epoch: int | None = None) -> Weights:
        """Return the one digest of this moment."""
        (found,) = [
            it
            for it in self.trail.weights
            if (it.moment, it.fit) == (moment, fit) and (epoch is None or it.epoch == epoch)
        ]
        return found


def recorded_in(run_folder: str | Path) -> Recorded:
    """Return what is recorded in a run's folder of files (``run.dir``)."""
    return Recorded(Capsule(Path(run_folder) / "repro"))


_INSTALLED = ("numpy", "xxhash")
"""The packages of a small environment."""

_OURS = ("tests", "wandb_repro")


@functools.cache
def _hidden() -> frozenset[str]:
    """Return the top-level names that a small host does not show: ours and other packages'."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    found = {path.name.partition(".")[0] for folder in folders for path in Path(folder).iterdir()}
    return frozenset({*found, *_OURS} - {*_INSTALLED})


class _OtherModules(Mapping[str, ModuleType]):
    """``sys.modules`` as it is now: each module by its name, and when listed, those not hidden."""

    def __getitem__(self, name: str) -> ModuleType:
        if name.partition(".")[0] in _OURS:
            raise KeyError(name)
        return sys.modules[name]

    def __iter__(self) -> Iterator[str]:
        hidden = _hidden()
        return (name for name in list(sys.modules) if name.partition(".")[0] not in hidden)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class SmallHost(Host):
    """This process, in an environment of two packages: reading all of them takes longest.

    We and the tests are no files of the user's either: of a checkout, 1,000 files would be
    searched for secrets and stored with each fit, which takes two seconds. And the modules of
    packages that are not in this environment would each be recorded as belonging to none.
    """

    def __init__(self, started_in: str | None = None) -> None:
        super().__init__(started_in)
        self.modules = _OtherModules()

    def distributions(self) -> Iterable[Distribution]:
        return [distribution(name) for name in _INSTALLED]


@dataclass
class Young:
    """This process as if it had just begun: no run, no seeding, nothing said."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def project(self) -> Path:
        """Folder of the script."""
        return self.folder / "project"

    def begin(self) -> None:
        """Forget what this process knows of its runs, as a new process would."""
        from wandb_repro.recording.process_state import process

        process.reset()

    def forget_keras(self) -> None:
        """Make Keras and TensorFlow as unseeded, and names as unused, as they were at first."""
        import keras
        from keras.src.backend.common import global_state

        # A collection of all that TensorFlow made takes 0.4 s, and there are hundreds of tests.
        cast("Any", keras).utils.clear_session(free_memory=False)
        cast("Any", global_state).set_global_attribute("global_random_seed", None)
        context = sys.modules["tensorflow.python.eager.context"]
        cast("Any", context).context()._seed = None


@pytest.fixture(scope="module")
def own_wandb(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Give these tests a W&B session of their own: it reads its environment only once."""
    import wandb

    with pytest.MonkeyPatch.context() as patch:
        for name, value in _environment(tmp_path_factory.mktemp("wandb")).items():
            patch.setenv(name, value)
        wandb.teardown()
        yield
        wandb.teardown()
        patch.delenv("WANDB_SERVICE", raising=False)


@pytest.fixture
def offline(own_wandb: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Young]:
    """Make this process one that has just begun, in an empty project, on W&B's offline mode."""
    import wandb

    from wandb_repro.recording.process_state import process

    del own_wandb
    wandb.setup(wandb.Settings(root_dir=str(tmp_path)))
    others = wandb.run
    young = Young(tmp_path, monkeypatch)
    young.project.mkdir()
    (young.project / "train.py").write_text("print('train')\n")
    monkeypatch.setattr(process, "host", SmallHost(started_in=str(young.project)))
    young.begin()
    if "keras" in sys.modules:
        young.forget_keras()
    yield young
    while wandb.run is not None and wandb.run is not others:
        wandb.run.finish()


def _environment(folder: Path) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "WANDB_DIR": str(folder),
        "WANDB_MODE": "offline",
        "WANDB_SILENT": "true",
        "WANDB_REPRO_SILENT": "false",
        "WANDB_CONSOLE": "off",
        # For it W&B parses the metadata of all packages when a run begins: 0.25 s, each time.
        "WANDB_X_SAVE_REQUIREMENTS": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
    }


def data(examples: int = 12) -> tuple[Any, Any]:
    """Return examples (examples, 4) and targets (examples, 1), float32."""
    import numpy as np

    x = cast("Any", np.arange(examples * 4, dtype="float32")).reshape(examples, 4) / 48
    return x, x.sum(1, keepdims=True)


def tensorflow_data(examples: int = 12, batch: int = 4) -> Any:
    """Return the same, shuffled anew in each epoch."""
    import tensorflow

    tf = cast("Any", tensorflow)
    return tf.data.Dataset.from_tensor_slices(data(examples)).shuffle(examples).batch(batch)


def dense_model(*layers: Any, **compiled: Any) -> Any:
    """Return a compiled model of these layers, or of two small dense ones."""
    import keras

    it = cast("Any", keras)
    small = (it.layers.Dense(3, activation="relu"), it.layers.Dense(1))
    model = it.Sequential([it.Input((4,)), *(layers or small)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", "jit_compile": False, **compiled})
    return model


@dataclass(frozen=True)
class World:
    """The folder that is a child process' world."""

    folder: Path

    @property
    def runs(self) -> list[Path]:
        """The folders of its runs, in the order they began."""
        return sorted(self.folder.glob("wandb/offline-run-*"), key=lambda it: it.stat().st_ctime_ns)

    @property
    def recorded(self) -> list[Recorded]:
        """What each of its runs left behind, where it left anything."""
        found = (recorded_in(run / "files") for run in self.runs)
        return [it for it in found if it.capsule.folder.exists()]


@dataclass(frozen=True)
class Child(World):
    """A child process."""

    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Ended(World):
    """What a child process left that has ended."""

    returncode: int
    """Negative for a signal."""
    out: str
    err: str

    @property
    def ours(self) -> list[str]:
        """The lines that we said."""
        return [line for line in self.err.splitlines() if line.startswith("wandb_repro:")]


_KEPT = ("PATH", "LANG", "TMPDIR", STRICT_VARIABLE, hidden_modules.VARIABLE)


def begun_child(
    folder: Path,
    script: str,
    *,
    command: Sequence[str] = (sys.executable, "train.py"),
    environ: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    **popen: Any,
) -> Child:
    """Start a script as a person would: in its project's folder, with a home of its own.

    Args:
        folder: made, and holds ``project/train.py``, ``home`` and W&B's folder.
        script: text of ``train.py``.
        command: how it is started.
        environ: variables beside the usual ones.
        stdin: standard input, as for ``subprocess.Popen``.
        popen: for ``subprocess.Popen``.
    """
    project = folder / "project"
    project.mkdir(parents=True)
    (project / "train.py").write_text(textwrap.dedent(script))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return Child(
        folder,
        subprocess.Popen(
            list(command),
            cwd=project,
            env={**kept, **_environment(folder), **(environ or {})},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **popen,
        ),
    )


def waited_for(child: Child, timeout_s: float = 120) -> Ended:
    """Return the child when it has ended."""
    out, err = child.process.communicate(timeout=timeout_s)
    return Ended(child.folder, child.process.returncode, out, err)


def run_child(folder: Path, script: str, **how: Any) -> Ended:
    """Start a script and wait for its end."""
    return waited_for(begun_child(folder, script, **how))


def log_of(run: Any) -> list[dict[str, Any]]:
    """Return the records that ``wandb sync`` would upload, read by W&B's own command."""
    folder = str(Path(run.dir).parent)
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", folder]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.splitlines()]


def summary_of(log: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what of ours the summary holds in the end."""
    told: dict[str, Any] = {}
    for record in log:
        told.update(record.get("summary", {}).get("update", {}))
    return {name: value for name, value in told.items() if name.startswith("repro/")}


FORKING = """
import json, os, sys
import keras, tensorflow, wandb

worlds = json.load(open(sys.argv[1]))
children = {}
for way, world in worlds.items():
    child = os.fork()
    if child == 0:
        break
    children[child] = way
else:
    codes = {}
    while children:
        child, status = os.wait()
        codes[children.pop(child)] = os.waitstatus_to_exitcode(status)
    print(json.dumps(codes), flush=True)
    os._exit(0)

os.chdir(world["project"])
os.environ.update(world["environment"])
for number, name in ((1, "out"), (2, "err")):
    os.dup2(os.open(world[name], os.O_CREAT | os.O_WRONLY), number)
sys.argv = ["train.py"]
sys.orig_argv = [sys.executable, "train.py"]
exec(compile(open("train.py").read(), os.path.abspath("train.py"), "exec"))
"""


def forked_children(folder: Path, scripts: Mapping[str, str]) -> dict[str, Ended]:
    """Run scripts as processes that are forked when the frameworks are imported, all at once.

    Starting TensorFlow is most of a tiny training's time; this starts it once. Nothing of ours is
    imported before the fork, and each process ends by itself, as the interpreter ends it.
    """
    worlds: dict[str, dict[str, Any]] = {}
    for at, (way, script) in enumerate(scripts.items()):
        world = folder / str(at)
        (world / "project").mkdir(parents=True)
        (world / "project" / "train.py").write_text(textwrap.dedent(script))
        worlds[way] = {
            "project": str(world / "project"),
            "environment": _environment(world),
            "out": str(world / "out.txt"),
            "err": str(world / "err.txt"),
        }
    told = folder / "worlds.json"
    told.write_text(json.dumps(worlds))
    command = [sys.executable, "train.py", str(told)]
    parent = waited_for(begun_child(folder / "parent", FORKING, command=command), 300)
    assert parent.returncode == 0, parent.err
    return {
        way: Ended(
            Path(worlds[way]["project"]).parent,
            code,
            Path(worlds[way]["out"]).read_text(),
            Path(worlds[way]["err"]).read_text(),
        )
        for way, code in json.loads(parent.out).items()
    }


def finished(run: wandb.Run) -> Recorded:
    """End a run and return what it left behind."""
    run.finish()
    return recorded_in(run.dir)
