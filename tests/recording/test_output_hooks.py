"""Calls of W&B that log artifacts and functions of Keras that save are noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.support.recording import recording
from tests.support.training import Young, recorded_in
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.recording.output_hooks import note_artifact


def begun(offline: Young) -> Any:
    import wandb_repro

    offline.begin()
    return wandb_repro.init(project="p", seed=5, code="off")


def files_of(run: Any) -> list[OutputFile]:
    run.finish()
    outputs = recorded_in(run.dir).manifest.description.outputs
    assert isinstance(outputs, Outputs)
    return list(outputs.files)


@pytest.fixture
def model() -> Any:
    """Return a model with weights that depend on nothing."""
    import keras as library

    keras = cast("Any", library)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.set_weights([np.ones((2, 1), "f4"), np.zeros(1, "f4")])
    return model


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("text")
    return path


def test_every_way_to_log_an_artifact_is_noticed(offline: Young, file: Path) -> None:
    import wandb

    module: Any = wandb
    run = begun(offline)

    def artifact(name: str) -> Any:
        made = module.Artifact(name, type="data")
        made.add_file(str(file))
        return made

    run.log_artifact(artifact("a"))
    module.log_artifact(artifact("a"))
    run.log_artifact(artifact_or_path=str(file), type="data")
    module.log_artifact(str(file), "named")
    run.log_model(str(file), "modelled")
    artifact("saved").save()
    files = files_of(run)
    assert [(one.name, one.type) for one in files] == [
        ("a:v0/notes.txt", "data"),
        ("a:v1/notes.txt", "data"),
        ("modelled:v0/notes.txt", "model"),
        ("named:v0/notes.txt", "unspecified"),
        (f"run-{run.id}-notes.txt:v0/notes.txt", "data"),
        ("saved:v0/notes.txt", "data"),
    ]
    assert len({str(one.digest) for one in files}) == 1


def test_a_wrong_call_fails_as_it_does_without_us(offline: Young) -> None:
    run = begun(offline)
    with pytest.raises(TypeError, match="nonsense"):
        run.log_artifact(nonsense=1)
    with pytest.raises(ValueError, match="path must be a file"):
        run.log_artifact("/nowhere/at/all")
    assert files_of(run) == []


def test_files_that_are_saved_with_the_run_are_noticed(offline: Young, file: Path) -> None:
    run = begun(offline)
    run.save(str(file), base_path=str(file.parent))
    Path(run.dir, "own.txt").write_text("own")
    run.log({"table": 1.0})
    found = [(one.place, one.name) for one in files_of(run)]
    assert found == [("run", "notes.txt"), ("run", "own.txt")]


def test_models_that_keras_saves_are_noticed(
    offline: Young, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    run = begun(offline)
    monkeypatch.chdir(tmp_path)
    model.save("a.keras")
    model.save(filepath=tmp_path / "b.h5")
    model.save_weights("c.weights.h5")
    cast("Any", keras).saving.save_model(model, "d.keras")
    files = {Path(one.path).name: one for one in files_of(run)}
    assert {name: one.kind for name, one in files.items()} == {
        "a.keras": "keras",
        "b.h5": "hdf5",
        "c.weights.h5": "hdf5",
        "d.keras": "keras",
    }
    assert files["a.keras"].digest == files["d.keras"].digest


def test_saves_are_noticed_once_however_many_runs_a_process_records(
    offline: Young, model: Any, tmp_path: Path
) -> None:
    import keras

    begun(offline).finish()
    once = cast("Any", keras).Model.save
    run = begun(offline)
    assert cast("Any", keras).Model.save is once
    model.save(tmp_path / "a.keras")
    assert len(files_of(run)) == 1


def test_saving_without_a_run_is_as_before(model: Any, tmp_path: Path) -> None:
    model.save(tmp_path / "a.keras")
    assert (tmp_path / "a.keras").is_file()
    note_artifact(object(), object())


def test_models_that_the_callback_of_w_and_b_logs_are_noticed(
    offline: Young, model: Any, tmp_path: Path
) -> None:
    run = begun(offline)
    from wandb.integration import keras as integration

    made: Any = cast("Any", integration).WandbModelCheckpoint(tmp_path / "m-{epoch}.keras")
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=2, verbose=0, callbacks=[made])
    files = [one for one in files_of(run) if one.place == "artifact"]
    assert [(one.name, one.type, one.kind) for one in files] == [
        (f"run_{run.id}_model:v0/m-1.keras", "model", "keras"),
        (f"run_{run.id}_model:v1/m-2.keras", "model", "keras"),
    ]


@pytest.mark.usefixtures("lenient")
def test_methods_that_cannot_be_watched_are_named_once_and_noted(
    offline: Young, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such method")

    monkeypatch.setattr("wandb_repro.recording.output_hooks._watch_method", fail)
    with recording(offline) as found:
        pass
    said = [line for line in capsys.readouterr().err.splitlines() if "is not noticed" in line]
    assert len(said) == 1
    assert "log_artifact" in said[0]
    inventory = found[0].trail.inventory
    assert inventory is not None
    assert inventory.notes[0].endswith(
        "is not noticed: run.finish_artifact: RuntimeError: no such method"
    )
