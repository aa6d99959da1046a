"""Kept environments: under which key, in which folder, held by whom."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.records import full_manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.cache import Cache, Entry, key_of, user_cache
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
