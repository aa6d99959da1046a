from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.read_extra_files import ExtraLimits, ExtraReader


def _reader(limits: ExtraLimits = ExtraLimits(), *, is_as_read: bool = True) -> ExtraReader:  # noqa: B008  (frozen)
    return ExtraReader(limits, lambda _: is_as_read)


def _file(path: Path, content: bytes = b"x") -> str:
    path.write_bytes(content)
    return str(path)


def test_a_file_is_read_with_its_executable_bit(tmp_path: Path) -> None:
    script = _file(tmp_path / "run.sh", b"#!/bin/sh\n")
    (tmp_path / "run.sh").chmod(0o755)
    data = _file(tmp_path / "a.txt", b"abc")
    reader = _reader()
    reader.add([script, data])
    assert reader.files == {script: PackedFile(b"#!/bin/sh\n", True), data: PackedFile(b"abc")}
    assert reader.refused == {}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (ExtraLimits(file_bytes=2), "the limit for a file outside the snapshot"),
        (ExtraLimits(total_bytes=2), "all files outside the snapshot are over"),
        (ExtraLimits(files=0), "more than 0 files outside the snapshot"),
    ],
)
def test_a_file_beyond_a_limit_is_refused_with_the_limit(
    tmp_path: Path, limits: ExtraLimits, reason: str
) -> None:
    place = _file(tmp_path / "a.txt", b"abc")
    reader = _reader(limits)
    reader.add([place])
    assert reader.files == {}
    assert reason in reader.refused[place]


def test_what_is_no_file_secret_changed_or_gone_is_refused(tmp_path: Path) -> None:
    secret = _file(tmp_path / "id_rsa")
    gone = str(tmp_path / "gone")
    reader = _reader()
    reader.add([str(tmp_path), secret, gone])
    assert reader.files == {}
    assert [reader.refused[place].split(":")[0] for place in (str(tmp_path), secret, gone)] == [
        "it is not a file",
        "looks like a secret (it is named like id_rsa*)",
        "it cannot be read",
    ]
    changed = _reader(is_as_read=False)
    changed.add([place := _file(tmp_path / "a.txt")])
    assert "changed" in changed.refused[place]


def test_an_optional_file_that_does_not_fit_is_not_named(tmp_path: Path) -> None:
    small, large = _file(tmp_path / "a.txt"), _file(tmp_path / "b.txt", b"x" * 100)
    reader = _reader(ExtraLimits(optional_bytes=10))
    reader.add_optional([small, large])
    assert list(reader.files) == [small]
    assert reader.refused == {}
