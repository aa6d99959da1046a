from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.recorded import Ask
from wandb_repro.rerun.environment.cache import Cache, Entry, user_cache

DAY_S = 86_400


@pytest.fixture
def kept() -> Cache:
    """Two environments, one of them not used for ten days, and what a killed rerun left."""
    cache = user_cache()
    for key, days in (("a" * 64, 10), ("b" * 64, 0)):
        entry = cache.entry(key)
        (entry.environment / "lib" / "python3.11" / "site-packages" / "x-1.dist-info").mkdir(
            parents=True
        )
        (entry.environment / "pyvenv.cfg").write_text("home = /usr\nversion_info = 3.11.7\n")
        entry.files.write_text("{}")
        used_s = time.time() - days * DAY_S - 60
        os.utime(entry.folder, (used_s, used_s))
    cache.unfinished("c" * 64).folder.mkdir()
    return cache


def _keys(cache: Cache) -> list[str]:
    return [entry.key[0] for entry in cache.entries()]


def test_it_lists_what_is_kept_the_last_used_first(kept: Cache, ask: Ask, tmp_path: Path) -> None:
    answer = ask("cache", cwd=tmp_path)
    assert answer.code == 0
    assert "cache 2 environments" in answer.text
    assert "bbbbbbbbbbbb Python 3.11.7 1 package 36 bytes used today" in answer.text
    assert "aaaaaaaaaaaa Python 3.11.7 1 package 36 bytes used 10 days ago" in answer.text
    assert str(kept.folder) in "".join(answer.out.split())
    assert max(map(len, answer.out.splitlines())) <= 80
    assert [one["key"][0] for one in ask("cache", "--json", cwd=tmp_path).data] == ["b", "a"]


def test_with_nothing_kept_it_says_so(ask: Ask, tmp_path: Path) -> None:
    assert "cache 0 environments" in ask("cache", cwd=tmp_path).text
    assert ask("cache", "clear", cwd=tmp_path).code == 0


def test_clear_deletes_everything_and_what_a_killed_rerun_left(
    kept: Cache, ask: Ask, tmp_path: Path
) -> None:
    answer = ask("cache", "clear", cwd=tmp_path)
    assert (answer.code, answer.text) == (0, "3 environments deleted")
    assert [path for path in kept.folder.iterdir() if path.is_dir()] == []


def test_clear_deletes_what_was_not_used_for_long(kept: Cache, ask: Ask, tmp_path: Path) -> None:
    data = ask("cache", "clear", "--older-than", "7", "--json", cwd=tmp_path).data
    assert data == {"deleted": ["a" * 64], "in_use": []}
    assert _keys(kept) == ["b"]


def test_clear_deletes_what_is_named(kept: Cache, ask: Ask, tmp_path: Path) -> None:
    assert ask("cache", "clear", "bbbb", cwd=tmp_path).code == 0
    assert _keys(kept) == ["a"]


@pytest.mark.parametrize("key", ["dddd", "a", "../../etc", ""])
def test_what_is_not_kept_is_wrong_use(key: str, kept: Cache, ask: Ask, tmp_path: Path) -> None:
    answer = ask("cache", "clear", key, cwd=tmp_path)
    assert answer.code == 2
    assert "No environment with digest" in answer.error
    assert _keys(kept) == ["b", "a"]


def test_what_is_in_use_stays_and_is_named(kept: Cache, ask: Ask, tmp_path: Path) -> None:
    with kept.locked("b" * 64) as mine:
        assert mine
        answer = ask("cache", "clear", cwd=tmp_path)
    assert answer.code == 0
    assert "bbbbbbbbbbbb is in use by a starting rerun and was kept" in answer.error
    assert _keys(kept) == ["b"]


def test_what_lost_its_list_is_still_listed_and_cleared(
    kept: Cache, ask: Ask, tmp_path: Path
) -> None:
    Entry(kept.folder / ("a" * 64)).files.unlink()
    (kept.folder / ("a" * 64) / "env" / "pyvenv.cfg").unlink()
    assert "aaaaaaaaaaaa Python ?" in ask("cache", cwd=tmp_path).text
    assert ask("cache", "clear", "aaaa", cwd=tmp_path).code == 0
    assert _keys(kept) == ["b"]
