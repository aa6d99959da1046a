"""HDF5 is read by datasets and attributes, and stays within its own file."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any, cast

import h5py as library
import numpy as np
import pytest

from tests.support.archives import hdf5_bytes
from wandb_repro.capture.outputs.contents import Contents
from wandb_repro.capture.outputs.hdf5_file import hdf5_contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.errors import DigestError

h5py: Any = cast("Any", library)


def read(content: bytes, **limits: Any) -> Contents | None:
    return hdf5_contents(io.BytesIO(content), OutputBudget(**limits))


def parts(content: bytes) -> dict[str, str]:
    found = read(content)
    assert found is not None
    return dict(found.parts)


def test_the_dataset_that_differs_is_known() -> None:
    one = parts(hdf5_bytes({"a/w": np.ones(3), "b": np.zeros(2)}))
    two = parts(hdf5_bytes({"a/w": np.ones(3), "b": -np.zeros(2)}))
    assert [name for name in one if one[name] != two[name]] == ["b"]
    assert set(one) == {"/", "a/", "a/w", "b"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (np.zeros(2, "f4"), np.zeros(2, "i4")),
        (np.zeros(4), np.zeros((2, 2))),
        (np.float32(1), np.float32(2)),
        (["a", "bc"], ["ab", "c"]),
        (h5py.Empty("f4"), np.zeros(0, "f4")),
        (np.array([(1, 2.0)], "i4,f8"), np.array([(1, 3.0)], "i4,f8")),
    ],
)
def test_values_dtype_and_shape_count(one: Any, two: Any) -> None:
    assert parts(hdf5_bytes({"x": one})) == parts(hdf5_bytes({"x": one}))
    assert parts(hdf5_bytes({"x": one})) != parts(hdf5_bytes({"x": two}))


def test_how_a_dataset_is_stored_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.ones((100, 100)) * np.arange(100.0)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("x", data=values, chunks=(7, 9), compression="gzip")
    whole = parts(hdf5_bytes({"x": values}))
    monkeypatch.setattr("wandb_repro.capture.outputs.hdf5_file._MOST_AT_ONCE_BYTES", 10_000)
    assert parts(content.getvalue()) == whole


def test_attributes_count_and_configs_are_compared_as_such() -> None:
    def config(year: int) -> str:
        return json.dumps({"date_saved": year, "units": 3})

    one = parts(hdf5_bytes({}, model_config=config(1), names=["a", "b"], n=3))
    two = parts(hdf5_bytes({}, model_config=config(2), names=["a", "c"], n=4))
    assert {name for name in one if one[name] != two[name]} == {"@names", "@n"}


def test_links_are_not_followed() -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["itself"] = file["/"]
        file["zero"] = h5py.ExternalLink("/dev/zero", "/x")
        file["soft"] = h5py.SoftLink("/nowhere")
    assert set(parts(content.getvalue())) == {"/", "soft", "zero", "itself"}


def test_values_in_other_files_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        other = [(str(tmp_path / "raw"), 0, 80)]
        file.create_dataset("x", shape=(10,), dtype="f8", external=other)
    with pytest.raises(DigestError, match="from other files"):
        read(content.getvalue())


def test_a_huge_dataset_that_takes_no_space_is_refused() -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("x", shape=(1 << 33,), dtype="f4", chunks=(1 << 20,))
    with pytest.raises(DigestError, match="holds more than 1"):
        read(content.getvalue(), file_bytes=1 << 30)


def test_rows_that_do_not_fit_into_memory_are_refused() -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.create_dataset("x", shape=(2, 1 << 28), dtype="f4", chunks=(1, 1 << 20))
    with pytest.raises(DigestError, match="rows too large"):
        read(content.getvalue())


def test_too_many_objects_are_refused() -> None:
    content = hdf5_bytes({str(number): np.ones(1) for number in range(20)})
    with pytest.raises(DigestError, match="more than 10 parts"):
        read(content, members=10)


def test_an_object_with_two_names_is_read_once() -> None:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file["b/w"] = np.ones(3)
        file["a"] = file["b/w"]
        file["a"].attrs["unit"] = "m"
    assert set(parts(content.getvalue())) == {"/", "a", "a@unit", "b/", "b/w"}


@pytest.mark.parametrize("cut", [9, 100, 900])
def test_a_truncated_file_is_none(cut: int) -> None:
    assert read(hdf5_bytes({"x": np.ones(100)})[:cut]) is None


def test_without_h5py_a_file_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    content = hdf5_bytes({"x": np.ones(1)})
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert read(content) is None
