"""Archives as programs write them, and as nobody should."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

__all__ = ["hdf5_bytes", "keras_file", "safetensors_bytes", "zip_file"]

Arrays = Mapping[str, Any]


def hdf5_bytes(arrays: Arrays, **attributes: Any) -> bytes:
    """Return an HDF5 file with these datasets and attributes of its top."""
    content = io.BytesIO()
    with cast("Any", h5py).File(content, "w") as file:
        for name, values in arrays.items():
            file.create_dataset(name, data=values)
        file.attrs.update(attributes)
    return content.getvalue()


def zip_file(
    path: Path, members: Mapping[str, bytes], *, year: int = 2020, packed: bool = False
) -> Path:
    """Write an archive whose members were written in a year."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            info.compress_type = method
            archive.writestr(info, content)
    return path


def keras_file(path: Path, arrays: Arrays, *, year: int = 2020, **config: Any) -> Path:
    """Write a file that is laid out as Keras 3 lays out a model."""
    members = {
        "metadata.json": json.dumps({"keras_version": "3.15", "date_saved": str(year)}).encode(),
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": hdf5_bytes(arrays),
    }
    return zip_file(path, members, year=year)


def safetensors_bytes(arrays: Mapping[str, np.ndarray], metadata: Any = None) -> bytes:
    """Return a safetensors file."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    body = b""
    for name, array in arrays.items():
        end = len(body) + array.nbytes
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [len(body), end]}
        body += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body
