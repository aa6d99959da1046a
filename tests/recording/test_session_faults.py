"""Whatever of ours breaks, the training continues and ends with the same weights.

A recorded training is watched once: what a guard calls is a place where an error can be planted, so
a new probe is covered as soon as it runs. Each place then fails in a training of its own. The run
is W&B's own, offline, and the same for all of them.
"""

from __future__ import annotations

import errno
import inspect
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NoReturn, cast

import pytest

import wandb_repro
from tests.support.training import (
    Recorded,
    SmallHost,
    Young,
    data,
    dense_model,
    recorded_in,
)
from wandb_repro.capture.guard import guarded, shielded
from wandb_repro.digest import Array, leaf_digest
from wandb_repro.manifest.request import Options
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.session import Session

PACKAGE = Path(wandb_repro.__file__).parent

GUARD = guarded.__code__.co_filename
GUARDS = frozenset({guarded.__code__, shielded(lambda: None, "nothing", print).__code__})
"""What calls a function of ours and catches its errors."""

PARTS = 6
"""Tests that share the places, so that none takes minutes."""


class Odd(BaseException):
    """An error that is no Exception and whose text cannot be had."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("no text")


ERRORS: tuple[BaseException, ...] = (
    RuntimeError("planted"),
    OSError(errno.ENOSPC, "No space left on device"),
    MemoryError(),
    KeyError("planted"),
    Odd(),
)


@dataclass(frozen=True, order=True)
class Place:
    """A function of ours that a guard calls."""

    module: str
    name: str
    """Its qualified name in the module."""

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def function(self) -> FunctionType:
        """The function itself, without what wraps it."""
        found: Any = sys.modules[f"wandb_repro.{self.module}"]
        for part in self.name.split("."):
            found = inspect.getattr_static(found, part)
        found = found.fget if isinstance(found, property) else found
        return inspect.unwrap(getattr(found, "__func__", found))


@dataclass
class Watch:
    """Notes what guards call, in every thread, while it is entered."""

    places: set[Place] = field(default_factory=set["Place"])

    def __enter__(self) -> Watch:
        sys.setprofile(self._look)
        threading.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _look(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and _is_ours(code) and _is_guarded(frame) and not _is_local(code):
            path = Path(code.co_filename).relative_to(PACKAGE).with_suffix("")
            self.places.add(Place(".".join(path.parts), _qualified_name(frame)))


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(str(PACKAGE)) and code.co_filename != GUARD


def _is_local(code: CodeType) -> bool:
    return code.co_name.startswith("<") or bool(code.co_flags & inspect.CO_NESTED)


def _is_guarded(frame: FrameType) -> bool:
    """Tell whether a guard calls this, be it through a lambda."""
    caller = frame.f_back
    while caller is not None and _is_ours(caller.f_code) and _is_local(caller.f_code):
        caller = caller.f_back
    return caller is not None and caller.f_code in GUARDS


def _qualified_name(frame: FrameType) -> str:
    """Return a function's qualified name; Python 3.10 has none in its code."""
    owner: Any = frame.f_locals.get("self", frame.f_locals.get("cls"))
    name = frame.f_code.co_name
    kind_of_owner = cast("type[Any]", owner if inspect.isclass(owner) else type(owner))
    for kind in kind_of_owner.__mro__:
        member = inspect.getattr_static(kind, name, None) if name in vars(kind) else None
        member = member.fget if isinstance(member, property) else member
        member = getattr(member, "__func__", member)
        if getattr(inspect.unwrap(cast("Any", member)), "__code__", None) is frame.f_code:
            return f"{kind.__qualname__}.{name}"
    return name


class Plant:
    """An error in one place, and how often the training came there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
        self.error = error
        self.reached = 0
        self._monkeypatch = monkeypatch

    def at(self, place: Place) -> None:
        """Have a function raise, by whatever name it was imported."""
        # Its code is exchanged: a module that imported the function by name has it as well.
        planted[0] = self
        self._monkeypatch.setattr(place.function, "__code__", _broken.__code__)

    def raised(self) -> BaseException:
        """Count, and return the error."""
        self.reached += 1
        return self.error


planted: list[Any] = [None]


def _broken(*_: Any, **__: Any) -> NoReturn:
    # It runs with the globals of the function whose code it replaces.
    import tests.recording.test_session_faults as here

    raise here.planted[0].raised()


@dataclass
class Stage:
    """A run of W&B and a model, both used again and again."""

    run: Any
    model: Any
    dataset: Any
    initial: list[Any]
    untouched: list[str]
    """Digests of the weights after a training without us."""

    def train(self, *callbacks: Any) -> tuple[list[str], list[float]]:
        """Train from the same weights, and return what came of it."""
        self.model.set_weights(self.initial)
        self.model.optimizer.iterations.assign(0)
        history = self.model.fit(self.dataset, epochs=2, verbose=0, callbacks=list(callbacks))
        return digests(self.model), history.history["loss"]


def digests(model: Any) -> list[str]:
    return [leaf_digest(cast("Array", array)) for array in model.get_weights()]


class RealRun:
    """The real run, but for its folder, and for what a case breaks of it."""

    def __init__(self, run: Any, folder: Path, broken: str, error: BaseException) -> None:
        self._run = run
        self._broken = broken
        self._error = error
        self.dir = str(folder)

    def __getattr__(self, name: str) -> Any:
        if name == self._broken:
            raise self._error
        return getattr(self._run, name)


@pytest.fixture(scope="module")
def stage(own_wandb: None) -> Generator[Stage]:
    import wandb

    del own_wandb
    run = wandb.init(project="p")
    model = dense_model()
    x, y = data()
    found = Stage(run, model, tensorflow_batches(x, y), model.get_weights(), [])
    found.untouched = found.train()[0]
    yield found
    run.finish()


def tensorflow_batches(x: Any, y: Any) -> Any:
    import tensorflow

    return cast("Any", tensorflow).data.Dataset.from_tensor_slices((x, y)).batch(4)


def recorded_training(
    stage: Stage, project: Path, folder: Path, broken: str = "", error: BaseException | None = None
) -> tuple[list[str], Recorded]:
    """Record a training into this folder, as ``init`` and ``finish`` would around it."""
    from wandb_repro import api
    from wandb_repro.keras import ReproCallback
    from wandb_repro.recording.mode import Recording

    files = folder / "wandb" / "offline-run" / "files"
    files.mkdir(parents=True)
    run = cast("Any", RealRun(stage.run, files, broken, error or RuntimeError()))
    seeding = Seeding(3, asked=3, deterministic=None, drawn=False)
    host = SmallHost(started_in=str(project))
    session = Session(run, host, seeding, Options(), mode=Recording(), world_size=1)
    api.process.sessions[stage.run.id] = session
    session.fingerprint("train", *data(), None)
    weights, losses = stage.train(cast("Any", ReproCallback(run=stage.run)))
    session.finish()
    assert len(losses) == 2
    return weights, recorded_in(files)


@pytest.fixture(scope="module")
def places(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    """Give every place that a recorded training comes to."""
    folder = tmp_path_factory.mktemp("watched")
    project = a_project(folder)
    # Frameworks are watched once in a process: no later training comes to those places.
    recorded_training(stage, project, folder / "first")
    with Watch() as watch:
        recorded_training(stage, project, folder)
    return sorted(watch.places)


def a_project(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "train.py").write_text("print('trains')\n")
    return project


SILENT = {
    "recording.readers.Readers.close": "the record is complete then",
    "recording.notebook.notebook_of": "a script has no cells",
    "recording.packages.PackageRecorder._find_packed": "the files are stored with the run instead",
    "state.thread_order.ThreadOrder._add": "what the thread makes is compared as a set",
    "recording.packages._repacked": "each of these packages is on an index",
}
"""Places whose failure nobody is told of, and why nothing is lost."""


def fault_of(stage: Stage, young: Young, place: Place, error: BaseException, capfd: Any) -> str:
    """Plant an error in a place and train; return what went wrong, empty if nothing did."""
    folder = young.folder / str(place)
    folder.mkdir()
    young.begin()
    capfd.readouterr()
    with young.monkeypatch.context() as patches:
        plant = Plant(patches, error)
        plant.at(place)
        weights, recorded = recorded_training(stage, young.project, folder)
    said = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    files = [path.read_bytes() for path in recorded.capsule.folder.glob("*.json*")]
    shown = b"".join([*files, *(line.encode() for line in said)])
    if not plant.reached:
        return "it was not reached"
    if weights != stage.untouched:
        return "the weights are others"
    if len(said) != len(set(said)) or len(said) > MOST_LINES:
        return f"it says {said}"
    if recorded.capsule.manifest.exists() and recorded.manifest.run.id != stage.run.id:
        return "the manifest is of another run"
    if recorded.capsule.trail.exists() and recorded.trail.torn:
        return "the trail is torn"
    if type(error).__name__.encode() not in shown and str(place) not in SILENT:
        return "nobody is told"
    return ""


MOST_LINES = 3  # the file, the columns and the summary each need the manifest


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.slow if part else ()) for part in range(PARTS)]
)
def test_a_training_ends_as_if_we_were_not_there(
    offline: Young, stage: Stage, places: list[Place], part: int, capfd: pytest.CaptureFixture[str]
) -> None:
    a_project(offline.folder)
    faults = {
        str(place): fault_of(stage, offline, place, ERRORS[at % len(ERRORS)], capfd)
        for at, place in enumerate(places)
        if at % PARTS == part
    }
    assert {place: fault for place, fault in faults.items() if fault} == {}


def test_the_places_are_those_of_the_whole_recording(places: list[Place]) -> None:
    names = {str(place) for place in places}
    rooms = {place.module.partition(".")[0] for place in places}
    assert {"capture", "keras", "recording"} <= rooms
    assert len(names) > 60
    for one in ("capture.machine.machine.probe_machine", "recording.session.Session.weights"):
        assert any(name.endswith(one) for name in names), sorted(names)


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("broken", ["save", "config", "summary"])
def test_a_run_that_refuses_us_trains_on(
    offline: Young, stage: Stage, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    error = RuntimeError("planted")
    project = a_project(offline.folder)
    weights, recorded = recorded_training(stage, project, offline.folder, broken, error)
    assert weights == stage.untouched
    assert recorded.moments()[-1] == ("final", 2, 6)
    assert recorded.manifest.run.id == stage.run.id
    said = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert 1 <= len(said) == len(set(said)) <= 2, said


def test_what_fails_nowhere_is_recorded_whole(offline: Young, stage: Stage) -> None:
    weights, recorded = recorded_training(stage, a_project(offline.folder), offline.folder)
    assert weights == stage.untouched
    assert recorded.moments()[-1] == ("final", 2, 6)
    assert recorded.manifest.execution.seed == "3"


def test_a_closed_standard_error_is_no_reason_to_stop(offline: Young, stage: Stage) -> None:
    class Closed:
        def write(self, _: str) -> NoReturn:
            raise ValueError("I/O operation on closed file")

    offline.monkeypatch.setattr(sys, "stderr", Closed())
    weights, _ = recorded_training(stage, a_project(offline.folder), offline.folder)
    assert weights == stage.untouched


@pytest.mark.parametrize("theirs", [KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_a_ctrl_c_and_an_exit_of_the_script_pass_through_us(
    offline: Young, stage: Stage, places: list[Place], theirs: BaseException
) -> None:
    (weights,) = [place for place in places if place.name == "Session.weights"]
    plant = Plant(offline.monkeypatch, theirs)
    plant.at(weights)
    with pytest.raises(type(theirs)):
        recorded_training(stage, a_project(offline.folder), offline.folder)
    assert plant.reached == 1
