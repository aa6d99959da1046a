from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache


def _age(path: Path, seconds: int = 3600) -> None:
    """Make a file one that was written long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_file_that_was_just_written_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes(b"a,b\n")
    cache = FileDigestCache()
    cache.add(str(file), file.stat(), "any", "00")
    assert cache.digest(str(file), file.stat(), "any") is None
    _age(file)
    cache.add(str(file), file.stat(), "any", "00")
    cache.close()
    assert FileDigestCache().digest(str(file), file.stat(), "any") == "00"


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_a_cache_that_is_broken_is_none(content: bytes, tmp_path: Path) -> None:
    broken = tmp_path / "data.sqlite"
    broken.write_bytes(content)
    cache = FileDigestCache(broken)
    file = tmp_path / "train.csv"
    file.touch()
    _age(file)
    cache.add(str(file), file.stat(), "any", "00")
    cache.close()
    assert FileDigestCache(broken).digest(str(file), file.stat(), "any") in ("00", None)


def test_a_digest_is_of_one_state_and_one_algorithm(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_bytes(b"a,b\n")
    _age(file)
    cache = FileDigestCache(tmp_path / "c.sqlite")
    cache.add(str(file), file.stat(), "xxh", "00")
    assert cache.digest(str(file), file.stat(), "xxh") == "00"
    assert cache.digest(str(file), file.stat(), "sha") is None
    file.write_bytes(b"a,b,c\n")
    _age(file)
    assert cache.digest(str(file), file.stat(), "xxh") is None
    cache.close()


def test_the_oldest_entries_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.capture.dataset.file_digest_cache._MOST_FILES", 1)
    cache = FileDigestCache(tmp_path / "c.sqlite")
    files = [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.touch()
        _age(file)
        cache.add(str(file), file.stat(), "xxh", "00")
    cache.close()
    again = FileDigestCache(tmp_path / "c.sqlite")
    assert [again.digest(str(file), file.stat(), "xxh") for file in files] == [None, "00"]
    again.close()
