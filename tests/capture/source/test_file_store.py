from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repositories import repository
from wandb_repro.capture.source.bundle import SNAPSHOT_REF
from wandb_repro.capture.source.file_list import list_repository
from wandb_repro.capture.source.file_store import FileStore
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.capture.source.limits import Limits, choose_files, left_out
from wandb_repro.capture.source.objects import tree_id

Made = tuple[FileStore, Git]


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Made:
    """Read a work tree with a committed, an edited and a new file."""
    project = repository(tmp_path / "project")
    project.write("edited.py", "e = 1\n")
    project.commit()
    project.write("edited.py", "e = 2\n")
    project.write("new.py", "n = 1\n")
    return _store(project.path, tmp_path / "private")


def _store(root: Path, folder: Path) -> Made:
    folder.mkdir()
    private = private_repository(folder)
    listing = list_repository(root, private)
    sources, _ = choose_files(root, listing, (), Limits())
    return FileStore(private, root, listing, sources), private


def _stored(private: Git) -> str:
    return private.run("rev-parse", f"{SNAPSHOT_REF}^{{tree}}").decode().strip()


def test_the_tree_is_known_before_it_is_stored(made: Made) -> None:
    store, private = made
    assert sorted(store.entries) == [b"edited.py", b"new.py", b"train.py"]
    assert store.tree == tree_id(store.entries)
    store.finish()
    store.finish()
    assert _stored(private) == store.tree


def test_more_than_fits_in_memory_is_stored_while_it_is_read(
    tmp_path: Path, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wandb_repro.capture.source.file_store._MEMORY_BYTES", 3)
    store, private = _store(tmp_path / "project", tmp_path / "again")
    assert _stored(private) == store.tree == made[0].tree
    store.finish()


def test_a_store_without_a_file_has_another_tree_and_this_one_keeps_it(made: Made) -> None:
    store, private = made
    rest = store.without({b"new.py": left_out(b"new.py", 6, "looks like a secret")})
    assert sorted(rest.entries) == [b"edited.py", b"train.py"]
    assert b"new.py" in rest.refused
    assert b"new.py" in store.entries
    rest.finish()
    assert _stored(private) == rest.tree != store.tree


def test_where_borrowed_objects_are_missing_everything_is_read_from_disk(
    tmp_path: Path, made: Made
) -> None:
    store, private = made
    for kept in (tmp_path / "project" / ".git" / "objects").glob("??/*"):
        kept.unlink()
    store.finish()
    assert _stored(private) == store.tree
