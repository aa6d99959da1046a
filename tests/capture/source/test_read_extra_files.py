from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.read_extra_files import ExtraLimits, ExtraReader, with_digests
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile


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


def _input(path: Path, content: bytes) -> InputFile:
    path.write_bytes(content)
    return InputFile(path=path.name, absolute=str(path), size_bytes=len(content))


def _always(_: str) -> bool:
    return True


def test_each_file_keeps_its_place_and_gets_sha256_and_its_reason(tmp_path: Path) -> None:
    large, small = _input(tmp_path / "b", b"abc" * 9), _input(tmp_path / "a", b"abc")
    first, second = with_digests([large, small], {str(tmp_path / "a"): "too far"}, _always)
    assert (first.path, first.reason) == ("b", "")
    assert first.digest == f"sha256:{hashlib.sha256(b'abc' * 9).hexdigest()}"
    assert (second.path, second.reason) == ("a", "too far")


def test_a_secret_has_no_digest_by_which_it_could_be_guessed(tmp_path: Path) -> None:
    file = _input(tmp_path / "pin", b"1234")
    (found,) = with_digests([file], {file.absolute: "looks like a secret (x)"}, _always)
    assert isinstance(found.digest, Unavailable)
    assert "secret" in found.digest.unavailable


def test_the_smallest_files_are_read_while_there_is_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wandb_repro.capture.source.read_extra_files._DIGESTED_BYTES", 10)
    files = [_input(tmp_path / "large", b"x" * 9), _input(tmp_path / "small", b"x" * 3)]
    large, small = with_digests(files, {}, _always)
    assert isinstance(large.digest, Unavailable)
    assert isinstance(small.digest, str)


def test_a_file_that_changed_or_is_gone_has_a_reason(tmp_path: Path) -> None:
    file = _input(tmp_path / "a", b"x")
    (changed,) = with_digests([file], {}, lambda _: False)
    assert "changed" in str(changed.digest)
    (tmp_path / "a").unlink()
    (gone,) = with_digests([file], {}, _always)
    assert "cannot be read" in str(gone.digest)


def test_an_entry_for_files_that_nobody_knows_keeps_its_reason(tmp_path: Path) -> None:
    more = InputFile(
        path="/",
        absolute="/",
        size_bytes=Unavailable(unavailable="they were not counted"),
        reason="more than 10,000 files were read",
    )
    found = with_digests([more, _input(tmp_path / "a", b"x")], {}, _always)
    assert found[0] == more
    assert isinstance(found[1].digest, str)
