"""Bundles of a few files, and what git says of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.repositories import Repository, on_disk
from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.errors import CodeError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.rerun.restore import restore

FILES = {
    b"lib/helper.py": PackedFile(b"SIZE = 4\n"),
    b"lib/again.py": PackedFile(b"SIZE = 4\n"),
    b"lib.py": PackedFile(b""),
    "data/h\u00e4user \n.csv".encode(): PackedFile(os.urandom(300_000), executable=True),
    b"deep/er/and/deeper.txt": PackedFile(b"x" * 15),
    b"deep/er/and/deepest.txt": PackedFile(b"x" * 16),
}


def test_a_bundle_holds_the_files_byte_for_byte(tmp_path: Path) -> None:
    tree, bundle = pack_files(FILES, tmp_path / "added.bundle")

    code = Code(root="/", tree=tree, files=6, bundle=bundle, git=Unavailable(unavailable="none"))
    restore(tmp_path / "added.bundle", code, tmp_path / "restored")

    assert on_disk(tmp_path / "restored") == {
        os.fsdecode(path): ("100755" if file.executable else "100644", file.data)
        for path, file in FILES.items()
    }


def test_git_finds_nothing_wrong_with_it(tmp_path: Path) -> None:
    pack_files(FILES, tmp_path / "added.bundle")
    clone = Repository(tmp_path)
    clone.git("clone", "--quiet", "added.bundle", "clone")

    told = Repository(tmp_path / "clone").git("fsck", "--strict", "--full")

    assert told == ""
    assert (tmp_path / "clone" / "lib.py").is_file(), "nothing was checked out"


def test_equal_files_make_equal_bundles(tmp_path: Path) -> None:
    one = pack_files(FILES, tmp_path / "one.bundle")
    two = pack_files(dict(reversed(FILES.items())), tmp_path / "two.bundle")

    assert (one[0], one[1].sha256) == (two[0], two[1].sha256)


def test_a_disk_that_does_not_take_it_leaves_what_was_there(tmp_path: Path) -> None:
    bundle = tmp_path / "added.bundle"
    bundle.mkdir()

    with pytest.raises(CodeError, match="cannot be written"):
        pack_files(FILES, bundle)

    assert [path.name for path in tmp_path.iterdir()] == ["added.bundle"]


@pytest.mark.usefixtures("no_folder_sync")
def test_a_folder_that_cannot_be_synced_takes_the_bundle(tmp_path: Path) -> None:
    _, bundle = pack_files(FILES, tmp_path / "added.bundle")

    assert bundle.sha256 == sha256_of_file(tmp_path / "added.bundle")
    assert [path.name for path in tmp_path.iterdir()] == ["added.bundle"]
