"""Archives are read by their members, without their times."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.support.archives import hdf5_bytes, keras_file, zip_file
from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.zip_file import zip_contents
from wandb_repro.errors import DigestError

W: Any = cast("Any", np).arange(6, dtype="f4").reshape(2, 3)


def read(path: Path, **limits: Any) -> Contents | None:
    with path.open("rb", buffering=0) as file:
        return zip_contents(file, path.stat().st_size, OutputBudget(**limits))


def read_whole(path: Path) -> Contents:
    found = read(path)
    assert found is not None
    return found


def test_a_keras_model_saved_twice_is_the_same(tmp_path: Path) -> None:
    one = keras_file(tmp_path / "1.keras", {"dense/0": W}, year=2020, units=3)
    two = keras_file(tmp_path / "2.keras", {"dense/0": W}, year=2021, units=3)
    assert one.read_bytes() != two.read_bytes()
    assert read_whole(one) == read_whole(two)
    assert read_whole(one).kind == "keras"


def test_the_weight_or_config_that_differs_is_known(tmp_path: Path) -> None:
    one = read_whole(keras_file(tmp_path / "1.keras", {"dense/0": W, "dense/1": W}, units=3))
    two = read_whole(keras_file(tmp_path / "2.keras", {"dense/0": W, "dense/1": -W}, units=4))
    differ = [a.name for a, b in zip(one.parts, two.parts, strict=True) if a != b]
    assert differ == ["config.json", "model.weights.h5:dense/1"]


def test_how_a_member_is_packed_does_not_count(tmp_path: Path) -> None:
    members = {"model.weights.h5": hdf5_bytes({"w": W}), "notes.txt": b"x" * 1000}
    stored = read_whole(zip_file(tmp_path / "s.zip", members))
    packed = read_whole(zip_file(tmp_path / "p.zip", members, packed=True))
    assert stored == packed
    assert [part.name for part in stored.parts] == [
        "model.weights.h5:/",
        "model.weights.h5:w",
        "notes.txt",
    ]


def test_numpys_archives_are_read_by_their_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=W, y=W)
    np.savez_compressed(tmp_path / "b.npz", x=W, y=-W)
    one, two = read_whole(tmp_path / "a.npz"), read_whole(tmp_path / "b.npz")
    assert one.kind == "npz"
    differ = [a.name for a, b in zip(one.parts, two.parts, strict=True) if a != b]
    assert differ == ["y.npy"]


def test_a_pytorch_file_does_not_depend_on_its_name(tmp_path: Path) -> None:
    def members(top: str, serialization: bytes) -> dict[str, bytes]:
        names = {"data.pkl": b"\x80\x02", "data/0": b"1234", "version": b"3\n"}
        names[".data/serialization_id"] = serialization
        return {f"{top}/{name}": content for name, content in names.items()}

    one = read_whole(zip_file(tmp_path / "a.pt", members("a", b"1")))
    two = read_whole(zip_file(tmp_path / "b.pt", members("b", b"2")))
    assert one == two
    assert one.kind == "torch"


def test_an_empty_archive_has_a_digest(tmp_path: Path) -> None:
    assert read_whole(zip_file(tmp_path / "a.zip", {})).digest


def test_a_truncated_archive_is_none(tmp_path: Path) -> None:
    path = keras_file(tmp_path / "a.keras", {"w": W})
    content = path.read_bytes()
    for cut in (10, len(content) // 2, len(content) - 5):
        path.write_bytes(content[:cut])
        assert read(path) is None


def test_a_member_with_other_bytes_than_it_says_is_none(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "a.zip", {"a": b"some text"})
    path.write_bytes(path.read_bytes().replace(b"some text", b"same text"))
    assert read(path) is None


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "bomb.zip", {"a": bytes(50_000_000)}, packed=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(DigestError, match="holds more than"):
        read(path, file_bytes=10_000_000)


def test_an_hdf5_member_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = hdf5_bytes({"w": np.zeros(5_000_000)})
    path = zip_file(tmp_path / "bomb.keras", {"model.weights.h5": bomb}, packed=True)
    with pytest.raises(DigestError, match="holds more than"):
        read(path, file_bytes=10_000_000)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "a.zip", {str(number): b"" for number in range(20)})
    with pytest.raises(DigestError, match="more than 10 parts"):
        read(path, members=10)


def test_a_directory_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zip_file(tmp_path / "a.zip", {str(number): b"" for number in range(20)})
    monkeypatch.setattr("wandb_repro.capture.outputs.zip_file._MOST_DIRECTORY_BYTES", 500)
    assert read(path) is None


def test_an_encrypted_archive_is_none(tmp_path: Path) -> None:
    path = zip_file(tmp_path / "a.zip", {"a": b"text"})
    with zipfile.ZipFile(path) as archive:
        at = archive.start_dir
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[at + 8] |= 1
    path.write_bytes(content)
    assert read(path) is None
