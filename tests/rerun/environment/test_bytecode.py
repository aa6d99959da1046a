"""What Python compiled in a clone is kept for the next, if its source is the kept one's."""

from __future__ import annotations

import os
import py_compile
from pathlib import Path

import pytest

from wandb_repro.rerun.environment.bytecode import clone_bytecode, keep_bytecode
from wandb_repro.rerun.environment.cache import Cache, Entry
from wandb_repro.rerun.environment.clone import clone, list_folder, write_listing

CACHED = "lib/__pycache__"


@pytest.fixture
def entry(tmp_path: Path) -> Entry:
    """An environment of one module that was kept."""
    kept = Cache(tmp_path / "cache").entry("key")
    (kept.environment / "lib").mkdir(parents=True)
    (kept.environment / "lib" / "small.py").write_text("x = 1\n")
    write_listing(list_folder(kept.environment), kept.files)
    return kept


def cloned(entry: Entry, destination: Path) -> Path:
    clone(entry.environment, list_folder(entry.environment), destination)
    return destination


def compiled(environment: Path) -> Path:
    source = environment / "lib" / "small.py"
    return Path(py_compile.compile(str(source), doraise=True) or "")


def test_what_one_clone_compiled_the_next_has(entry: Entry, tmp_path: Path) -> None:
    first = compiled(cloned(entry, tmp_path / "one"))
    keep_bytecode(entry, tmp_path / "one")
    clone_bytecode(entry.bytecode, cloned(entry, tmp_path / "two"))

    (second,) = (tmp_path / "two" / CACHED).iterdir()
    assert second.samefile(first)
    assert not (entry.environment / CACHED).exists()


def test_what_was_compiled_from_another_source_is_not_kept(entry: Entry, tmp_path: Path) -> None:
    module = cloned(entry, tmp_path / "one") / "lib" / "small.py"
    module.unlink()
    module.write_text("x = 2222\n")
    compiled(tmp_path / "one")

    keep_bytecode(entry, tmp_path / "one")

    assert not entry.bytecode.exists()


def test_a_file_that_only_calls_itself_compiled_is_not_kept(entry: Entry, tmp_path: Path) -> None:
    compiled(cloned(entry, tmp_path / "one")).write_bytes(b"no header of that source")

    keep_bytecode(entry, tmp_path / "one")

    assert not entry.bytecode.exists()


def test_a_compiled_file_that_was_changed_since_is_deleted(entry: Entry, tmp_path: Path) -> None:
    compiled(cloned(entry, tmp_path / "one"))
    keep_bytecode(entry, tmp_path / "one")
    (kept,) = entry.bytecode.rglob("*.pyc")
    os.utime(kept, ns=(1, 1))

    clone_bytecode(entry.bytecode, cloned(entry, tmp_path / "two"))

    assert not (tmp_path / "two" / CACHED).exists()
    assert not entry.bytecode.exists()


def test_what_was_kept_first_stays(entry: Entry, tmp_path: Path) -> None:
    compiled(cloned(entry, tmp_path / "one"))
    keep_bytecode(entry, tmp_path / "one")
    before = list_folder(entry.bytecode)

    compiled(cloned(entry, tmp_path / "two"))
    keep_bytecode(entry, tmp_path / "two")

    assert list_folder(entry.bytecode) == before


def test_while_somebody_holds_the_environment_nothing_is_kept(entry: Entry, tmp_path: Path) -> None:
    compiled(cloned(entry, tmp_path / "one"))

    with Cache(entry.folder.parent).locked(entry.key) as is_mine:
        assert is_mine
        keep_bytecode(entry, tmp_path / "one")

    assert not entry.bytecode.exists()
