"""Kept environments: under which key, in which folder, held by whom."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.records import full_manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.cache import (
    Cache,
    CacheLimits,
    Entry,
    Sizes,
    key_of,
    limits_of,
    sizes_of,
    user_cache,
)
from wandb_repro.rerun.environment.interpreter import FoundPython

BASE = FoundPython(Path("/usr/bin/python3.12"), "3.12.1", "3.12.1 (main)", "cpython")


@pytest.fixture
def packages() -> Packages:
    found = full_manifest().execution.packages
    assert isinstance(found, Packages)
    return found


def test_the_key_changes_with_a_package_a_wheel_and_the_interpreter(packages: Packages) -> None:
    first, *rest = packages.distributions

    def with_first(**changes: object) -> Packages:
        other = first.model_copy(update=changes)
        return packages.model_copy(update={"distributions": (other, *rest)})

    others: list[tuple[Packages, FoundPython]] = [
        (with_first(version="2.0"), BASE),
        (with_first(record_digest="0" * 64), BASE),
        (with_first(tags=("cp311-cp311-linux_x86_64",)), BASE),
        (packages, replace(BASE, path=Path("/other/python"))),
        (packages, replace(BASE, build="another")),
    ]

    assert len({key_of(*each) for each in (*others, (packages, BASE))}) == 6


def test_the_key_does_not_change_with_what_is_not_installed(packages: Packages) -> None:
    other = packages.model_copy(update={"digest": "other"})
    assert key_of(other, BASE) == key_of(packages, BASE)


def test_environments_are_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_REPRO_CACHE", "/scratch/ada")
    assert user_cache() == Cache(Path("/scratch/ada/environments"))


def kept(cache: Cache, key: str, used_s: float) -> Entry:
    entry = cache.entry(key)
    entry.environment.mkdir(parents=True)
    entry.files.write_text("{}")
    os.utime(entry.folder, (used_s, used_s))
    return entry


def test_entries_come_the_last_used_first_and_leftovers_apart(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    kept(cache, "old", 1)
    kept(cache, "new", 2)
    unfinished = cache.unfinished("third")
    unfinished.folder.mkdir()
    (tmp_path / "old.lock").touch()

    assert [entry.key for entry in cache.entries()] == ["new", "old"]
    assert list(cache.leftovers()) == [("third", unfinished)]
    cache.entry("old").touch()
    assert [entry.key for entry in cache.entries()] == ["old", "new"]


def test_an_entry_without_its_list_was_not_built_to_its_end(tmp_path: Path) -> None:
    entry = kept(Cache(tmp_path), "key", 1)
    assert entry.is_complete()
    entry.files.unlink()
    assert not entry.is_complete()


def test_a_removed_entry_is_gone_and_may_be_gone_already(tmp_path: Path) -> None:
    entry = kept(Cache(tmp_path), "key", 1)
    entry.remove()
    entry.remove()
    assert not entry.folder.exists()


def test_an_entry_knows_its_python_and_how_many_packages_it_has(tmp_path: Path) -> None:
    entry = kept(Cache(tmp_path), "key", 1)
    assert entry.facts() == ("?", 0)
    (entry.environment / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.12.1\n")
    (entry.environment / "lib/python3.12/site-packages/a-1.dist-info").mkdir(parents=True)
    assert entry.facts() == ("3.12.1", 1)


def test_an_environment_that_is_held_is_not_given_to_another(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "new")
    with (
        cache.locked("key") as first,
        cache.locked("key") as second,
        cache.locked("other") as third,
    ):
        assert (first, second, third) == (True, False, True)
    with cache.locked("key") as again:
        assert again


def test_a_file_counts_once_and_is_its_own_only_if_all_its_links_are(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside" / "deep", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.write_bytes(b"x" * 1000)
    (inside / "shared").hardlink_to(outside)
    (inside / "one").write_bytes(b"x" * 30)
    (inside / "two").hardlink_to(inside / "one")
    (inside / "link").symlink_to(outside)

    link = (inside / "link").lstat().st_size
    assert sizes_of(tmp_path / "inside") == Sizes(30 + link, 1000)
    assert sizes_of(tmp_path / "nothing") == Sizes(0, 0)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (CacheLimits(days=5, gigabytes=1), ["new", "third"]),
        (CacheLimits(days=50, gigabytes=2.5e-6), ["new", "third"]),
        (CacheLimits(days=50, gigabytes=0), ["third"]),
        (CacheLimits(days=50, gigabytes=1), ["new", "third", "old"]),
    ],
)
def test_what_is_beyond_the_limits_is_deleted_but_not_what_was_just_built(
    tmp_path: Path, limits: CacheLimits, left: list[str]
) -> None:
    cache, now = Cache(tmp_path), time.time()
    for key, days in (("new", 0), ("third", 1), ("old", 10)):
        entry = kept(cache, key, 1)
        (entry.environment / "file").write_bytes(b"x" * 1000)
        os.utime(entry.folder, (now - days * 86_400, now - days * 86_400))

    assert cache.prune(limits, keep="third") == 3 - len(left)
    assert [entry.key for entry in cache.entries()] == left


def test_what_is_in_use_is_not_deleted(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    kept(cache, "used", 1)
    with cache.locked("used"):
        assert cache.prune(CacheLimits(days=0), keep="") == 0
    assert cache.prune(CacheLimits(days=0), keep="") == 1


def test_what_a_killed_build_left_is_deleted_when_it_is_old(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for key, used_s in (("old", 1), ("running", time.time())):
        cache.unfinished(key).folder.mkdir()
        os.utime(cache.unfinished(key).folder, (used_s, used_s))
    cache.prune(CacheLimits(), keep="")
    assert [key for key, _ in cache.leftovers()] == ["running"]


def test_limits_come_from_variables_and_a_wrong_one_is_the_default() -> None:
    assert limits_of({}) == CacheLimits(days=30, gigabytes=20)
    environ = {"WANDB_REPRO_CACHE_DAYS": "7", "WANDB_REPRO_CACHE_GB": "0.5"}
    assert limits_of(environ) == CacheLimits(days=7, gigabytes=0.5)
    for text in ("many", "-1", "nan"):
        assert limits_of({"WANDB_REPRO_CACHE_DAYS": text}) == CacheLimits()
