from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from wandb_repro.capture.dist_info import DistInfo, Headers

HEADERS = "Metadata-Version: 2.1\nName: Tiny.Thing\nVersion: 1.0\nRequires-Dist: numpy>=1\n"
TOLD = Headers("tiny-thing", "1.0", ("numpy>=1",))


def info_of(folder: Path, **files: bytes) -> DistInfo:
    at = folder / "tiny_thing-1.0.dist-info"
    at.mkdir(exist_ok=True)
    for name, content in files.items():
        (at / name).write_bytes(content)
    return DistInfo(importlib.metadata.Distribution.at(at))


@pytest.mark.parametrize(
    "metadata",
    [
        HEADERS.encode(),
        HEADERS.encode() + b"\nIt trains.\n\nName: another\n",
        HEADERS.replace("\n", "\r\n").encode() + b"\r\nIt trains.\n\nName: another\n",
        HEADERS.encode() + b"Classifier: of many\n" * 2000 + b"\nName: another\n",
        HEADERS.encode() + b"\nIt is no UTF-8: \xff\xfe\n",
        HEADERS.encode() + b"\n" + b"It trains. " * 100_000,
    ],
    ids=["headers only", "description", "CRLF", "long headers", "odd bytes", "long description"],
)
def test_headers_are_read_whatever_stands_around_them(tmp_path: Path, metadata: bytes) -> None:
    assert info_of(tmp_path, METADATA=metadata).headers == TOLD


def test_metadata_of_an_egg_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    egg = HEADERS.encode()
    assert info_of(tmp_path, **{"PKG-INFO": egg}).headers == TOLD
    assert info_of(tmp_path, METADATA=b"", **{"PKG-INFO": egg}).headers == TOLD


def test_a_file_is_read_whole_however_long_it_is(tmp_path: Path) -> None:
    rows = b"a.py,,\r\n" * 100_000
    assert info_of(tmp_path, RECORD=rows).text("RECORD") == "a.py,,\n" * 100_000


def test_a_file_that_is_no_text_says_nothing(tmp_path: Path) -> None:
    assert info_of(tmp_path, WHEEL=b"\xff").text("WHEEL") == ""


def test_a_stamp_is_another_when_a_file_comes_or_changes(tmp_path: Path) -> None:
    first = info_of(tmp_path, METADATA=HEADERS.encode()).stamp()
    assert first == info_of(tmp_path).stamp()
    assert first is not None
    later = info_of(tmp_path, **{"uv_build.json": b"{}"}).stamp()
    assert later != first
    assert info_of(tmp_path, METADATA=HEADERS.encode() + b"\n").stamp() != later


def test_what_is_gone_has_no_stamp(tmp_path: Path) -> None:
    info = info_of(tmp_path, METADATA=HEADERS.encode())
    for file in Path(info.folder).iterdir():
        file.unlink()
    assert info.stamp() is None
