"""What h5py opens is seen, and it does what it did."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.recording.hdf5_files import watch_h5py

h5: Any = h5py


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    path = tmp_path / "data.h5"
    with h5.File(path, "w") as file:
        file["x"] = [1, 2]
    return path


@pytest.fixture(name="opened")
def _opened(monkeypatch: pytest.MonkeyPatch) -> OpenedFiles:
    watch_h5py(h5)
    known = OpenedFiles.of_process()
    monkeypatch.setattr(known, "read", {})
    monkeypatch.setattr(known, "written", set[str]())
    return known


WAYS: dict[str, Callable[[Path], Any]] = {
    "text": lambda path: h5.File(str(path)),
    "path": lambda path: h5.File(path, "r"),
    "to change": lambda path: h5.File(path, mode="r+"),
    "bytes": lambda path: h5.File(bytes(path), "r"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_file_that_is_read_is_seen(
    way: Callable[[Path], Any], data: Path, opened: OpenedFiles
) -> None:
    with way(data) as file:
        assert list(file["x"]) == [1, 2]
    assert list(opened.read) == [str(data)]


def test_a_file_that_the_script_writes_is_no_input(data: Path, opened: OpenedFiles) -> None:
    made = data.with_name("made.h5")
    with h5.File(made, "w") as file:
        file["x"] = [1]
    with h5.File(made) as file:
        assert list(file["x"]) == [1]
    assert opened.read == {}
    assert str(made) in opened.written


def test_a_file_in_memory_and_one_that_is_missing_are_no_inputs(
    data: Path, opened: OpenedFiles
) -> None:
    with unrecorded():
        content = io.BytesIO(data.read_bytes())
    with h5.File(content, "r") as file:
        assert list(file["x"]) == [1, 2]
    with pytest.raises(FileNotFoundError):
        h5.File(data.with_name("none.h5"), "r")
    assert opened.read == {}


def test_the_class_is_as_before(opened: OpenedFiles) -> None:
    del opened
    assert pickle.loads(pickle.dumps(h5.File)) is h5.File  # noqa: S301
