"""Whatever of ours breaks, the training goes on and ends with the same weights.

Each case plants one error in one place that a recorded training goes through, and trains. The run
is W&B's own, offline; it stays the same for all cases, and each case has a folder of its own.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast

import pytest

from tests.support.training import (
    Recorded,
    SmallHost,
    Young,
    data,
    dense_model,
    recorded_in,
)
from wandb_repro.digest import Array, leaf_digest
from wandb_repro.manifest.request import Options
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.session import Session

PROBES = (
    "recording.source.take_snapshot",
    "recording.source_options.probe_command",
    "recording.source.folders_of",
    "recording.source.Snapshot.record",
    "recording.source.Snapshot.write_bundle",
    "recording.source.Snapshot.paths",
    "recording.source.Snapshot.close",
    "recording.packages.probe_packages",
    "recording.packages.repack_all",
    "recording.packages.importable_files",
    "recording.facts.probe_command",
    "recording.facts.probe_machine",
    "recording.facts.probe_runtime",
    "recording.facts.probe_accelerator",
    "recording.facts.probe_framework",
    "recording.facts.config_of",
    "recording.facts.identity_of",
    "recording.facts.folders_of",
    "recording.facts.InputWatch.start",
    "recording.facts.InputWatch.inputs",
    "recording.seeding.Seeding.seeds",
    "recording.seeding.Seeding.determinism",
    "recording.seeding.Seeding.look_again",
    "recording.background.threading.Thread.start",
    "capture.dataset.dataset_of",
)
"""What reads facts: its failure is a reason in the manifest."""

WEIGHTS = (
    "keras.variables.grouped",
    "keras.running_fit.KerasFit.is_built",
    "keras.fit_recorder.exact",
    "keras.callback.warn_of_repeated_order",
    "keras.callback.FitFrame.around",
    "recording.trail_recorder.leaf_digests",
    "recording.trail_recorder.root_digest",
    "recording.trail_recorder.TrailRecorder.begin_fit",
    "recording.trail_recorder.TrailRecorder.weights",
    "recording.trail_recorder.TrailRecorder.end",
    "recording.trail_recorder.TrailWriter.append",
    "recording.trail_recorder.TrailWriter.close",
    "recording.session.TrailRecorder",
    "recording.session.Facts.at_fit",
    "recording.session.Facts.settle",
)
"""What digests and writes the trail."""

WRITERS = (
    "recording.session.Facts.manifest",
    "recording.session.write_atomically",
    "manifest.manifest.Manifest.to_bytes",
    "manifest.manifest.Manifest.sealed",
)
"""What the manifest's own file hangs on: here there may be none."""

PUBLISHERS = (
    "recording.session.publish_config",
    "recording.publish.GivenFiles.give_manifest",
    "recording.publish.GivenFiles.give_all",
    "recording.publish.GivenFiles.await_end",
    "recording.card.write_first_card",
    "recording.session.publish_summary",
    "recording.session.environment_line",
    "recording.card.write_card",
    "recording.card.card_entry",
    "recording.session.opening",
    "recording.session.secrets_left_out",
    "of the run: save",
    "of the run: config",
    "of the run: summary",
)
"""What shows the record on W&B, and to the person who trains."""


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


class Case(NamedTuple):
    """One place and what happens there."""

    place: str
    error: BaseException

    def __repr__(self) -> str:
        return f"{self.place}-{type(self.error).__name__}"


def cases() -> list[Case]:
    """Return every place with one of the errors, in turn."""
    places = (*PROBES, *WEIGHTS, *WRITERS, *PUBLISHERS)
    return [Case(place, ERRORS[at % len(ERRORS)]) for at, place in enumerate(places)]


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


def plant(monkeypatch: pytest.MonkeyPatch, place: str, error: BaseException) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(f"wandb_repro.{place}", broken)


def recorded_training(
    stage: Stage, folder: Path, prepare: Callable[[], None], broken: str, error: BaseException
) -> tuple[list[str], Recorded]:
    """Record a training into this folder, as ``init`` and ``finish`` would around it."""
    from wandb_repro import api
    from wandb_repro.keras import ReproCallback
    from wandb_repro.recording.mode import Recording

    files = folder / "wandb" / "offline-run" / "files"
    files.mkdir(parents=True)
    run = cast("Any", RealRun(stage.run, files, broken, error))
    seeding = Seeding(3, asked=3, deterministic=None, drawn=False)
    host = SmallHost(started_in=str(folder / "project"))
    prepare()
    session = Session(run, host, seeding, Options(), mode=Recording(), world_size=1)
    api.process.sessions[stage.run.id] = session
    session.fingerprint("train", *data(), None)
    weights, losses = stage.train(cast("Any", ReproCallback(run=stage.run)))
    session.finish()
    assert len(losses) == 2
    return weights, recorded_in(files)


@pytest.mark.parametrize("case", cases(), ids=repr)
def test_a_training_ends_as_if_we_were_not_there(
    offline: Young, stage: Stage, case: Case, capfd: pytest.CaptureFixture[str]
) -> None:
    of_run = case.place.startswith("of the run")

    def prepare() -> None:
        if not of_run:
            plant(offline.monkeypatch, case.place, case.error)

    broken = case.place.rpartition(" ")[2] if of_run else ""
    weights, recorded = recorded_training(stage, offline.folder, prepare, broken, case.error)
    offline.monkeypatch.undo()
    assert weights == stage.untouched
    said = [line for line in capfd.readouterr().err.splitlines() if "warning" in line]
    assert len(said) == len(set(said))
    assert len(said) <= MOST_LINES.get(case.place, 1), said
    if case.place not in WRITERS:
        assert recorded.manifest.run.id == stage.run.id
    if case.place not in WEIGHTS:
        assert recorded.moments()[-1] == ("final", 2, 6)
    assert not recorded.trail.torn


MOST_LINES = {
    "manifest.manifest.Manifest.sealed": 3,  # the file, the columns and the summary each need it
}


def test_what_fails_nowhere_is_recorded_whole(offline: Young, stage: Stage) -> None:
    weights, recorded = recorded_training(
        stage, offline.folder, lambda: None, "", RuntimeError("never")
    )
    assert weights == stage.untouched
    assert recorded.moments()[-1] == ("final", 2, 6)
    assert recorded.manifest.execution.seed == "3"
    assert len(cases()) >= 50


def test_a_closed_standard_error_is_no_reason_to_stop(offline: Young, stage: Stage) -> None:
    import sys

    class Closed:
        def write(self, _: str) -> NoReturn:
            raise ValueError("I/O operation on closed file")

    offline.monkeypatch.setattr(sys, "stderr", Closed())
    weights, _ = recorded_training(stage, offline.folder, lambda: None, "", RuntimeError())
    assert weights == stage.untouched


def test_a_ctrl_c_and_an_exit_of_the_script_pass_through_us(offline: Young, stage: Stage) -> None:
    for theirs in (KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(theirs)):
            recorded_training(
                stage,
                offline.folder / type(theirs).__name__,
                lambda theirs=theirs: plant(
                    offline.monkeypatch, "recording.trail_recorder.leaf_digests", theirs
                ),
                "",
                theirs,
            )
