from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wandb_repro.capture.source.input_digests import with_digests
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile


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
    monkeypatch.setattr("wandb_repro.capture.source.input_digests._DIGESTED_BYTES", 10)
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
