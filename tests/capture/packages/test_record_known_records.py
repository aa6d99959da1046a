from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.packages.record import KnownRecords, record_digest_of

ROW = b"six.py,sha256=xRyR9wPT1LNpbJI8tf7CE-BeddkhU5O--sfy-mo5BN8,34703\n"
OTHER = ROW.replace(b"six", b"sex")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("WANDB_REPRO_CACHE", str(folder))
    return folder


def _no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    def worked_out(record: bytes) -> str:
        raise AssertionError(f"worked out again: {record!r}")

    monkeypatch.setattr("wandb_repro.capture.packages.record.record_digest_of", worked_out)


def _learn(*records: bytes) -> None:
    known = KnownRecords()
    for record in records:
        known.digest_of(record)
    known.keep()


def test_what_was_learned_is_not_worked_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _learn(ROW, OTHER)
    _no_more(monkeypatch)

    assert KnownRecords().digest_of(ROW) == record_digest_of(ROW)
    assert KnownRecords().digest_of(OTHER) == record_digest_of(OTHER)


def test_another_text_is_worked_out() -> None:
    _learn(ROW)
    assert KnownRecords().digest_of(OTHER) == record_digest_of(OTHER)


@pytest.mark.parametrize("end", [b"", b"0", b"\n"])
def test_a_damaged_file_is_as_none(cache: Path, end: bytes) -> None:
    _learn(OTHER, ROW)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:-2] + end)

    assert KnownRecords().digest_of(ROW) == record_digest_of(ROW)


def test_a_digest_that_was_changed_on_the_disk_is_not_believed(cache: Path) -> None:
    _learn(ROW)
    (file,) = cache.iterdir()
    right = record_digest_of(ROW).encode()
    file.write_bytes(file.read_bytes().replace(right, right[::-1]))

    assert KnownRecords().digest_of(ROW) == right.decode()


def test_no_place_to_keep_it_changes_nothing(cache: Path) -> None:
    cache.write_text("a file stands where the folder should")
    _learn(ROW)
    assert KnownRecords().digest_of(ROW) == record_digest_of(ROW)
    assert cache.is_file()


def test_only_the_newest_are_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.capture.packages.record._MOST", 1)
    _learn(ROW, OTHER)
    _no_more(monkeypatch)

    KnownRecords().digest_of(OTHER)
    with pytest.raises(AssertionError, match="again"):
        KnownRecords().digest_of(ROW)
    assert [file.name for file in cache.iterdir()] == ["record-digests-1"]


def test_what_is_no_text_is_not_kept(cache: Path) -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        _learn(b"\xff,,\n")
    assert not cache.exists()
