"""What TensorFlow lists and reads in C++ is seen, and its functions do what they did."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow

from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.recording.tensorflow_files import note_pipelines, watch_tensorflow

tf: Any = tensorflow


@pytest.fixture(name="data")
def _data(tmp_path: Path) -> Path:
    for name in ("a/0.txt", "a/1.txt", "b/0.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n")
    return tmp_path


@pytest.fixture(name="opened")
def _opened(monkeypatch: pytest.MonkeyPatch) -> OpenedFiles:
    watch_tensorflow(tf)
    known = OpenedFiles.of_process()
    monkeypatch.setattr(known, "listed", {})
    monkeypatch.setattr(known, "read", {})
    monkeypatch.setattr(known, "written", set[str]())
    return known


def many(data: Path) -> list[str]:
    """Make twenty files in ``a`` and return their paths."""
    paths = [data / "a" / f"{number}.txt" for number in range(20)]
    for path in paths:
        path.write_text("x\n")
    return list(map(str, paths))


def saved(data: Path) -> str:
    tf.data.Dataset.range(3).save(f"{data}/a")
    return f"{data}/a"


FOLDERS: dict[str, Callable[[Path], object]] = {
    "listdir": lambda data: tf.io.gfile.listdir(f"{data}/a"),
    "glob": lambda data: tf.io.gfile.glob(f"{data}/a/*.txt"),
    "walk": lambda data: list(tf.io.gfile.walk(f"{data}/a")),
    "list_files": lambda data: tf.data.Dataset.list_files(f"{data}/a/*.txt"),
    "paths": lambda data: tf.data.Dataset.from_tensor_slices(many(data)),
    "with labels": lambda data: tf.data.Dataset.from_tensor_slices((many(data), [1] * 20)),
    "lines": lambda data: tf.data.TextLineDataset(many(data)),
    "load": lambda data: tf.data.Dataset.load(saved(data)),
}


@pytest.mark.parametrize("use", FOLDERS.values(), ids=list(FOLDERS))
def test_a_folder_that_only_tensorflow_reads_is_seen(
    use: Callable[[Path], object], data: Path, opened: OpenedFiles
) -> None:
    use(data)
    assert f"{data}/a" in opened.listed
    assert f"{data}/b" not in opened.listed


FILES: dict[str, Callable[[str], object]] = {
    "lines": lambda path: tf.data.TextLineDataset(path),
    "records": lambda path: tf.data.TFRecordDataset([path]),
    "paths": lambda path: tf.data.Dataset.from_tensor_slices([path]),
    "read_file": lambda path: tf.io.read_file(path),
    "GFile": lambda path: tf.io.gfile.GFile(path).read(),
}


@pytest.mark.parametrize("use", FILES.values(), ids=list(FILES))
def test_a_file_that_only_tensorflow_reads_is_seen(
    use: Callable[[str], object], data: Path, opened: OpenedFiles
) -> None:
    use(f"{data}/a/0.txt")
    assert list(opened.read) == [f"{data}/a/0.txt"]
    assert opened.listed == {}


def test_a_file_that_is_not_there_is_tensorflows_error(data: Path, opened: OpenedFiles) -> None:
    tf.data.TextLineDataset(f"{data}/none")
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.read_file(f"{data}/none")
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.gfile.GFile(f"{data}/none").read()
    assert opened.read == {}


def test_the_files_of_a_pipeline_are_seen_later(data: Path, opened: OpenedFiles) -> None:
    with unrecorded():
        paths = tf.data.Dataset.from_tensor_slices(many(data))
        other = tf.data.Dataset.from_tensor_slices([f"{data}/b/0.txt"])
    labels = tf.data.Dataset.range(20)
    whole = tf.data.Dataset.zip(paths.map(tf.io.read_file), labels).shuffle(9).batch(2).prefetch(1)
    note_pipelines([])  # it imports a module, whose file would count as read
    opened.read.clear()
    note_pipelines([whole, other, None, [1, 2]])
    assert list(opened.listed) == [f"{data}/a"]
    assert list(opened.read) == [f"{data}/b/0.txt"]


def test_text_and_numbers_are_no_paths(opened: OpenedFiles) -> None:
    tf.data.Dataset.from_tensor_slices(["hello", "world"])
    tf.data.Dataset.from_tensor_slices([1, 2])
    assert opened.listed == {}


def test_what_we_read_ourselves_is_not_seen(data: Path, opened: OpenedFiles) -> None:
    with unrecorded():
        tf.io.gfile.listdir(f"{data}/a")
    assert opened.listed == {}


def test_results_errors_and_tracing_are_as_before(data: Path, opened: OpenedFiles) -> None:
    del opened
    assert sorted(tf.io.gfile.listdir(str(data))) == ["a", "b"]
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.gfile.listdir(f"{data}/none")
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.data.Dataset.list_files(f"{data}/none/*")

    def one_more(total: Any, _: object) -> Any:
        return total + 1

    @tf.function
    def count(pattern: Any) -> Any:
        return tf.data.Dataset.list_files(pattern).reduce(0, one_more)

    assert int(count(tf.constant(f"{data}/*/*.txt"))) == 3
    assert count.experimental_get_tracing_count() == 1
    copied = pickle.loads(pickle.dumps(tf.io.gfile.glob))  # noqa: S301
    assert copied is tf.io.gfile.glob


def test_watching_twice_wraps_once(opened: OpenedFiles) -> None:
    del opened
    file_io: Any = sys.modules["tensorflow.python.lib.io.file_io"]
    before = file_io._pywrap_file_io.GetChildren
    watch_tensorflow(tf)
    assert file_io._pywrap_file_io.GetChildren is before
