from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from wandb_repro.capture.packages.dist_info import DistInfo, Headers

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


def test_a_version_of_separators_alone_is_unknown(tmp_path: Path) -> None:
    info = info_of(tmp_path, METADATA=b"Name: own\nVersion:\x1e\n")
    assert info.headers == Headers("own", "unknown", ())


def test_metadata_of_an_egg_is_read_where_there_is_no_other(tmp_path: Path) -> None:
    egg = HEADERS.encode()
    assert info_of(tmp_path, **{"PKG-INFO": egg}).headers == TOLD
    assert info_of(tmp_path, METADATA=b"", **{"PKG-INFO": egg}).headers == TOLD


def test_a_file_is_read_whole_however_long_it_is(tmp_path: Path) -> None:
    rows = b"a.py,,\r\n" * 100_000
    assert info_of(tmp_path, RECORD=rows).text("RECORD") == "a.py,,\n" * 100_000


def test_a_file_that_is_no_text_says_nothing(tmp_path: Path) -> None:
    assert info_of(tmp_path, WHEEL=b"\xff").text("WHEEL") == ""


def test_a_file_that_comes_or_changes_is_told(tmp_path: Path) -> None:
    info = info_of(tmp_path, METADATA=HEADERS.encode())
    assert info.headers == TOLD
    assert info.is_as_read()

    info_of(tmp_path, METADATA=HEADERS.encode() + b"\n")
    assert not info.is_as_read()

    info = info_of(tmp_path)
    assert info.headers == TOLD
    assert info.is_as_read()
    info_of(tmp_path, **{"uv_build.json": b"{}"})
    assert not info.is_as_read()


def test_a_file_that_changed_between_two_readings_is_not_as_it_was_first(tmp_path: Path) -> None:
    info = info_of(tmp_path, RECORD=b"a.py,,\n")
    assert info.text("RECORD") == "a.py,,\n"

    info_of(tmp_path, RECORD=b"a.py,,\nb.py,,\n")
    assert info.text("RECORD") == "a.py,,\nb.py,,\n"

    assert not info.is_as_read()


def test_what_is_gone_is_not_as_read(tmp_path: Path) -> None:
    info = info_of(tmp_path, METADATA=HEADERS.encode())
    assert info.headers == TOLD
    for file in Path(info.folder).iterdir():
        file.unlink()
    assert not info.is_as_read()


def test_metadata_in_one_file_is_told_to_change(tmp_path: Path) -> None:
    file = tmp_path / "tiny_thing-1.0.egg-info"  # as distutils wrote it
    file.write_text(HEADERS)
    info = DistInfo(importlib.metadata.Distribution.at(file))
    assert info.text("") == HEADERS
    assert info.is_as_read()

    file.write_text(HEADERS + "\n")

    assert not info.is_as_read()
