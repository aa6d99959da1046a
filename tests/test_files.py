"""Files: written whole or not at all, opened only if regular, digested in pieces."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wandb_repro.files import (
    CACHE_VARIABLE,
    atomic_file,
    cache_folder,
    open_regular,
    sha256_of_bytes,
    sha256_of_file,
    sync_folder,
    write_atomically,
)


def full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"content")

    assert (tmp_path / "a").read_bytes() == b"content"
    assert names(tmp_path) == ["a"]


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"old and longer")
    write_atomically(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "a").symlink_to(tmp_path / "target")

    write_atomically(tmp_path / "a", b"new")

    assert (tmp_path / "target").read_bytes() == b"mine"


def other_content(_: Path) -> bytes:
    return b"something else"


def broken_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)


def broken_rename(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", full_disk)


def lying_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", other_content)


@pytest.mark.parametrize("breakage", [broken_sync, broken_rename, lying_disk])
def test_a_failed_write_leaves_what_was_there(
    breakage: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with monkeypatch.context() as patch:
        breakage(patch)
        with pytest.raises(OSError, match=r"space|disk"):
            write_atomically(tmp_path / "a", b"new")

    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_folder_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "gone" / "a", b"")


def test_a_file_written_in_parts_is_there_once_the_block_ends(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "a") as file:
        file.write(b"one ")
        assert not (tmp_path / "a").exists()
        file.write(b"two")

    assert (tmp_path / "a").read_bytes() == b"one two"
    assert names(tmp_path) == ["a"]


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")

    with contextlib.suppress(ValueError), atomic_file(tmp_path / "a") as file:
        file.write(b"new")
        raise ValueError("no more")

    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@pytest.mark.usefixtures("no_folder_sync")
def test_a_folder_that_cannot_be_synced_loses_no_file(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", b"content")
    with atomic_file(tmp_path / "b") as file:
        file.write(b"content")

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"content"


def test_the_folder_is_synced_after_the_file_has_its_name(
    tmp_path: Path, no_folder_sync: list[int]
) -> None:
    write_atomically(tmp_path / "a", b"content")

    assert len(no_folder_sync) == 1


def test_a_folder_that_is_gone_is_not_synced(tmp_path: Path) -> None:
    sync_folder(tmp_path / "gone")


def test_a_regular_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")

    with open_regular(tmp_path / "a") as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_regular_file_is_not_opened(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    make(tmp_path / "a")
    opened_before = len(os.listdir("/dev/fd"))  # noqa: PTH208  (a number, no paths)

    with pytest.raises(OSError, match="it is not a file") as caught:
        open_regular(tmp_path / "a")

    assert caught.value.filename == str(tmp_path / "a")
    assert len(os.listdir("/dev/fd")) == opened_before  # noqa: PTH208


def test_a_device_is_not_opened() -> None:
    with pytest.raises(OSError, match="it is not a file"):
        open_regular("/dev/zero")


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"content")
    (tmp_path / "link").symlink_to("target")

    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"content"
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(tmp_path / "link", follow_links=False)


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Source: SHA-256 of nothing, NIST's example values."""


def test_the_sha256_of_nothing_is_the_published_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")

    assert sha256_of_file(tmp_path / "a") == sha256_of_bytes(b"") == EMPTY


@pytest.mark.parametrize("as_given", [str, os.fsencode, Path])
def test_a_file_of_several_blocks_is_digested_whole(
    as_given: Callable[[Path], str | bytes | Path], tmp_path: Path
) -> None:
    content = bytes(range(256)) * 10_000  # 2.4 MiB
    (tmp_path / "a").write_bytes(content)

    found = sha256_of_file(as_given(tmp_path / "a"))

    assert found == sha256_of_bytes(content) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("most_bytes", [0, 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000])
def test_no_more_is_read_than_allowed(most_bytes: int, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)

    found = sha256_of_file(tmp_path / "a", most_bytes=most_bytes)

    assert found == sha256_of_bytes(content[:most_bytes])


def test_a_digest_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")

    with pytest.raises(TimeoutError, match="too long"):
        sha256_of_file(tmp_path / "a", until=time.monotonic() - 1)


def test_a_link_is_digested_only_where_it_may_be_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "link").symlink_to("target")

    assert sha256_of_file(tmp_path / "link") == EMPTY
    with pytest.raises(OSError, match="symbolic links"):
        sha256_of_file(tmp_path / "link", follow_links=False)


def test_the_caches_are_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, "/scratch/ada")

    assert cache_folder() == Path("/scratch/ada")


def test_a_relative_cache_folder_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CACHE_VARIABLE, "cache")

    assert cache_folder() == tmp_path / "cache"


@pytest.mark.parametrize(
    ("xdg", "expected"),
    [("/caches", "/caches/wandb-repro"), ("", "/home/ada/.cache/wandb-repro")],
)
def test_without_the_variable_they_are_in_the_users_cache_folder(
    xdg: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(CACHE_VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setenv("HOME", "/home/ada")

    assert cache_folder() == Path(expected)
