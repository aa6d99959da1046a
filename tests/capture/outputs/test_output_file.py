"""A file that a run leaves behind is digested by what is in it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import pytest

from tests.support.archives import hdf5_bytes, keras_file, safetensors_bytes, zip_file
from wandb_repro.capture.outputs import output_file
from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_file import digest_output
from wandb_repro.errors import DigestError

W = np.arange(6, dtype="f4")


def read(path: Path) -> Contents:
    return digest_output(path, OutputBudget()).contents


def test_the_kind_is_found_from_the_content(tmp_path: Path) -> None:
    keras_file(tmp_path / "0", {"w": W})
    (tmp_path / "1").write_bytes(hdf5_bytes({"w": W}))
    (tmp_path / "2.safetensors").write_bytes(safetensors_bytes({"w": W}))
    (tmp_path / "3").write_bytes(gzip.compress(b"text"))
    np.save(tmp_path / "4.npy", W)
    np.savez(tmp_path / "5.npz", W)
    kinds = [read(path).kind for path in sorted(tmp_path.iterdir())]
    assert kinds == ["keras", "hdf5", "safetensors", "gzip", "bytes", "npz"]


def test_a_gzip_file_does_not_depend_on_when_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"text", mtime=1))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"text", mtime=2))
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"other"))
    one, two, other = (read(tmp_path / name).digest for name in ("a.gz", "b.gz", "c.gz"))
    assert one == two != other


def test_tensorflows_list_of_checkpoints_is_read_without_times(tmp_path: Path) -> None:
    path, digests = tmp_path / "checkpoint", set[str]()
    for name, time in (("c-1", 1), ("c-1", 2), ("c-2", 2)):
        path.write_text(f'model_checkpoint_path: "{name}"\nlast_preserved_timestamp: {time}\n')
        digests.add(read(path).digest)
    assert len(digests) == 2


@pytest.mark.parametrize("name", ["a.zip", "a.h5", "a.safetensors", "a.gz"])
def test_a_damaged_file_is_digested_by_its_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = {
        "a.zip": zip_file(tmp_path / "whole", {"a": b"text"}).read_bytes(),
        "a.h5": hdf5_bytes({"w": W}),
        "a.safetensors": safetensors_bytes({"w": W}),
        "a.gz": gzip.compress(b"text"),
    }[name]
    path.write_bytes(content[:-3])
    assert read(path).kind == "bytes"
    before = read(path).digest
    path.write_bytes(content[:-4])
    assert read(path).digest != before


def test_a_file_of_5_gb_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(DigestError, match=r"it holds more than 4\.3 GB"):
        read(path)


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    reasons: list[str] = []
    for name in ("pipe", "zero", "gone"):
        with pytest.raises(DigestError) as refused:
            read(tmp_path / name)
        reasons.append(str(refused.value))
    assert reasons == ["it is not a file", "it is not a file", "it was deleted"]


def test_a_file_that_changes_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing.txt"
    path.write_text("a")
    real = output_file.stream_digest

    def changed(*given: Any) -> str:
        path.write_text("ab")
        return real(*given)

    monkeypatch.setattr(output_file, "stream_digest", changed)
    with pytest.raises(DigestError, match="changed while it was read"):
        read(path)


@pytest.fixture(scope="module")
def keras() -> Any:
    import keras

    return keras


def twice(x: Any) -> Any:
    return x * 2


def written_in(folder: str) -> Any:
    """Return a lambda of a script in this folder."""
    code = twice.__code__.replace(co_filename=f"{folder}/train.py", co_name="<lambda>")
    return FunctionType(code, {}, "<lambda>")


def model(keras: Any, folder: str = "/work") -> Any:
    """Return a model with a Lambda layer, an optimizer and weights that depend on nothing."""
    layers = [
        keras.Input((2,), name="input"),
        keras.layers.Dense(3, name="first", kernel_initializer="ones"),
        keras.layers.Lambda(written_in(folder), name="twice"),
        keras.layers.Dense(1, name="last", kernel_initializer="ones"),
    ]
    made = keras.Sequential(layers, name="model")
    made.compile(keras.optimizers.Adam(name="adam"), "mse")
    return made


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m.weights.h5"])
def test_a_keras_model_that_is_saved_twice_has_one_digest(
    keras: Any, tmp_path: Path, name: str
) -> None:
    found: list[Contents] = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        save = "save_weights" if name.endswith(".weights.h5") else "save"
        getattr(model(keras, folder), save)(str(tmp_path / folder / name))
        found.append(read(tmp_path / folder / name))
    assert found[0] == found[1]
    assert found[0].kind != "bytes"


def test_a_weight_of_a_keras_model_that_differs_is_known(keras: Any, tmp_path: Path) -> None:
    one, two = model(keras), model(keras)
    kernel = np.ones((3, 1), "f4")
    kernel[1, 0] = np.nextafter(np.float32(1), np.float32(2))
    two.get_layer("last").kernel.assign(kernel)
    one.save(tmp_path / "1.keras")
    two.save(tmp_path / "2.keras")
    pairs = zip(read(tmp_path / "1.keras").parts, read(tmp_path / "2.keras").parts, strict=True)
    assert [a.name for a, b in pairs if a != b] == ["model.weights.h5:layers/dense_1/vars/0"]
    assert (tmp_path / "1.keras").stat().st_size == (tmp_path / "2.keras").stat().st_size
