"""Data that lies in files."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wandb_repro.capture.dataset import data_files, dataset_of
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.manifest.data import Dataset


def _of(path: Path, limits: Limits | None = None) -> Dataset:
    return dataset_of("train", path=str(path), limits=limits).dataset


def _age(path: Path, seconds: int = 3600) -> None:
    """Make a file one that was written long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for number in range(20):
        file = folder / f"class{number % 2}" / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes([number]) * 1000)
        _age(file)
    return folder


def test_a_folder_is_all_its_files(images: Path) -> None:
    found = _of(images)
    assert (found.kind, found.rows) == ("folder", 20)
    assert found.files is not None
    assert (found.files.count, found.files.size_bytes) == (20, 20_000)
    assert found.files.absolute == str(images)


def test_a_renamed_file_changes_one_digest_and_not_the_other(images: Path) -> None:
    before = _of(images)
    (images / "class0" / "0.png").rename(images / "class1" / "0.png")
    after = _of(images)
    assert after.digest != before.digest
    assert after.order_free == before.order_free


def test_a_changed_byte_changes_both(images: Path) -> None:
    before = _of(images)
    (images / "class0" / "0.png").write_bytes(b"\0" * 999 + b"\1")
    after = _of(images)
    assert after.digest != before.digest
    assert after.order_free != before.order_free


def test_a_copy_elsewhere_has_the_same_digest(images: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    images.rename(other)
    assert _of(other).digest == dataset_of("test", path=str(other)).dataset.digest


def test_pictures_that_stand_in_two_folders_are_found(images: Path) -> None:
    (images / "class1" / "again.png").write_bytes((images / "class0" / "4.png").read_bytes())
    one, two = (dataset_of(name, path=str(images / name)) for name in ("class0", "class1"))
    assert one.kept is not None
    assert two.kept is not None
    assert (one.kept.also_in(two.kept), two.kept.also_in(one.kept)) == (1, 1)


def test_an_unchanged_file_is_not_read_again(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _of(images)
    read: list[int] = []
    whole = data_files._whole  # pyright: ignore[reportPrivateUsage]

    def counted(opened: int, size_bytes: int, algorithm: str, until: float) -> str:
        read.append(opened)
        return whole(opened, size_bytes, algorithm, until)

    monkeypatch.setattr(data_files, "_whole", counted)
    assert _of(images) == before
    assert not read
    file = images / "class0" / "0.png"
    file.write_bytes(b"\7" * 1000)
    _age(file, 1800)
    assert _of(images).digest != before.digest
    assert len(read) == 1


def test_no_place_for_a_cache_is_no_reason_to_stop(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_REPRO_CACHE", os.devnull)
    assert _of(images).rows == 20


def test_above_a_size_files_are_read_in_pieces(tmp_path: Path) -> None:
    file = tmp_path / "train.bin"
    file.write_bytes(os.urandom(100_000))
    limits = Limits(file_bytes=10_000, piece_bytes=100, pieces=10)
    before = _of(file, limits=limits)
    assert before.read == "a sample of 1 MB"
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    assert _of(file, limits=limits).digest != before.digest


def test_a_file_that_changes_while_it_is_read_has_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes(b"a,b\n")

    def written_meanwhile(*_: object) -> str:
        with file.open("ab") as other:
            other.write(b"1,2\n")
        return "00"

    monkeypatch.setattr(data_files, "_whole", written_meanwhile)
    assert "changed while it was read" in str(_of(file).digest)


def test_what_is_no_file_has_a_reason(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert "No such file" in str(_of(tmp_path / "nothing").digest)
    assert "No such file" in str(_of(tmp_path / "gone").digest)
    assert "neither a file nor a folder" in str(_of(tmp_path / "pipe").digest)
    assert "holds no file" in str(_of(tmp_path / "empty").digest)


def test_a_folder_that_links_to_itself_is_read_once(images: Path) -> None:
    (images / "again").symlink_to(images)
    assert _of(images).rows == 20


def test_what_takes_too_long_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_bytes(b"a,b\n")
    found = _of(tmp_path / "train.csv", limits=Limits(seconds=-1))
    assert "takes too long" in str(found.digest)


def test_files_are_digested_where_no_thread_can_be_started(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _of(images)

    def exiting(*_: object, **__: object) -> None:
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", exiting)
    assert _of(images) == before
