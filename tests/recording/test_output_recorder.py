"""The files that a run leaves behind are in its record."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.archives import keras_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.outputs import OutputFile, Outputs
from wandb_repro.recording import output_recorder
from wandb_repro.recording.output_recorder import OutputRecorder
from wandb_repro.recording.process_state import process

W = np.arange(6, dtype="f4")


@pytest.fixture
def recorder(tmp_path: Path) -> OutputRecorder:
    """Return the recorder of a run that was started in ``work``."""
    (tmp_path / "files").mkdir()
    (tmp_path / "work").mkdir()
    return OutputRecorder("r1", tmp_path / "files", tmp_path / "work")


def ended(recorder: OutputRecorder) -> Outputs:
    recorder.read_at_end(None)
    assert isinstance(recorder.record, Outputs)
    return recorder.record


def names(recorder: OutputRecorder) -> list[tuple[str, str]]:
    return [(file.place, file.name) for file in ended(recorder).files]


def only_file(recorder: OutputRecorder) -> OutputFile:
    (file,) = ended(recorder).files
    return file


def test_files_in_the_runs_folder_are_read_at_the_end(
    recorder: OutputRecorder, tmp_path: Path
) -> None:
    keras_file(tmp_path / "files/m.keras", {"w": W})
    (tmp_path / "files/config.yaml").touch()
    file = only_file(recorder)
    assert (file.place, file.path, file.kind) == ("run", "m.keras", "keras")
    assert file.size_bytes == (tmp_path / "files/m.keras").stat().st_size
    assert str(file.digest).startswith("wrepro-root-xxh3-128-1:")
    assert {len(digest) for digest in file.parts.values()} == {8}
    assert set(file.parts) == {
        "config.json",
        "metadata.json",
        "model.weights.h5:/",
        "model.weights.h5:w",
    }


def test_a_model_that_keras_saved_is_named_from_the_start_folder(
    recorder: OutputRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for folder in ("work/sub", "tmp/x1", "work/exported/variables"):
        (tmp_path / folder).mkdir(parents=True)
    written = (
        "work/m.keras",
        "work/sub/m.keras",
        "other.keras",
        "tmp/x1/t.h5",
        "work/exported/variables/v",
        "work/ck.index",
        "work/ck.data-00000-of-00001",
        "files/m.h5",
    )
    for name in written:
        (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path / "work/sub")
    for path in ("../m.keras", b"m.keras", "../../other.keras", "../exported"):
        recorder.saved(path)
    recorder.saved(str(tmp_path / "work/ck"))
    recorder.saved(str(tmp_path / "tmp/x1/t.h5"))
    recorder.saved(str(tmp_path / "files/m.h5"))
    recorder.saved("deleted.keras")
    recorder.saved(None)
    assert names(recorder) == [
        ("disk", "(temporary)/t.h5"),
        ("disk", "../other.keras"),
        ("disk", "ck.data-00000-of-00001"),
        ("disk", "ck.index"),
        ("disk", "exported/variables/v"),
        ("disk", "m.keras"),
        ("run", "m.h5"),
    ]


def test_an_artifact_is_read_when_it_is_logged(recorder: OutputRecorder, tmp_path: Path) -> None:
    path = keras_file(tmp_path / "m.keras", {"w": W})
    recorder.artifact_logged(path, "best", "model")
    keras_file(tmp_path / "m.keras", {"w": -W})
    recorder.artifact_logged(path, "best", "model")
    path.unlink()
    first, second = ended(recorder).files
    assert (first.name, second.name) == ("best:v0/m.keras", "best:v1/m.keras")
    assert first.type == "model"
    assert first.digest != second.digest


def test_a_reference_has_the_digest_of_w_and_b(recorder: OutputRecorder) -> None:
    recorder.artifact_logged("s3://bucket/m.bin")
    file = only_file(recorder)
    assert (file.name, file.digest) == ("run-r1-m.bin:v0/m.bin", "wandb:s3://bucket/m.bin")


def test_an_artifact_that_was_logged_is_not_logged_again_by_linking_it(
    recorder: OutputRecorder,
) -> None:
    entry = SimpleNamespace(local_path=None, ref="s3://x/a", digest="0a")
    artifact = SimpleNamespace(
        name="m", type="model", manifest=SimpleNamespace(entries={"a": entry})
    )
    recorder.artifact_logged(artifact, only_new=True)
    recorder.artifact_logged(artifact, only_new=True)
    assert len(ended(recorder).files) == 1


def test_what_cannot_be_read_has_a_reason(recorder: OutputRecorder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "files/pipe")
    (tmp_path / "files/zero").symlink_to("/dev/zero")
    (tmp_path / "files/gone").symlink_to(tmp_path / "nowhere")
    with (tmp_path / "files/big").open("wb") as big:
        big.truncate(5_000_000_000)
    files = ended(recorder).files
    assert {file.path: str(file.digest) for file in files} == {
        "big": "it holds more than 4.3 GB",
        "gone": "it was deleted",
        "pipe": "it is not a file",
        "zero": "it is not a file",
    }
    assert all(isinstance(file.digest, Unavailable) for file in files)


def test_no_more_files_are_recorded_than_a_record_can_hold(
    recorder: OutputRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_recorder, "MOST_FILES", 3)
    for name in "abcde":
        (tmp_path / "files" / name).touch()
        recorder.artifact_logged(str(tmp_path / "files" / name))
    outputs = ended(recorder)
    assert [file.place for file in outputs.files] == ["artifact"] * 3 + ["run"] * 3
    assert outputs.left_out == 4


def test_an_artifact_of_many_files_is_one_record(
    recorder: OutputRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output_recorder, "_MOST_OF_ARTIFACT", 2)
    for name in "abc":
        (tmp_path / "work" / name).write_text(name)
    recorder.artifact_logged(tmp_path / "work", "images", "dataset")
    file = only_file(recorder)
    assert (file.name, file.kind, file.size_bytes) == ("images:v0/", "folder", 3)
    assert set(file.parts) == {"a", "b", "c"}


def test_a_path_outside_the_source_tree_keeps_its_name_if_it_was_absolute(
    recorder: OutputRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    (tmp_path / "m.h5").touch()
    recorder.saved(str(tmp_path / "m.h5"))
    assert names(recorder) == [("disk", str(tmp_path / "m.h5"))]
    recorder.read_at_end(tmp_path)
    assert isinstance(recorder.record, Outputs)
    assert [file.name for file in recorder.record.files] == ["../m.h5"]


def test_a_forked_child_notes_nothing(
    recorder: OutputRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    recorder.saved(str(tmp_path / "m.h5"))
    recorder.artifact_logged(str(tmp_path))
    monkeypatch.undo()
    assert names(recorder) == []


def test_it_is_no_longer_told_of_saves_when_the_run_has_ended(recorder: OutputRecorder) -> None:
    process.outputs["r1"] = recorder
    ended(recorder)
    assert "r1" not in process.outputs


def test_a_huge_file_of_an_artifact_is_named_and_not_read(
    recorder: OutputRecorder, tmp_path: Path
) -> None:
    with (tmp_path / "work/big.bin").open("wb") as file:
        file.truncate(5_000_000_000)
    recorder.artifact_logged(tmp_path / "work/big.bin", "big", "model")

    assert str(only_file(recorder).digest) == "it holds more than 4.3 GB"
