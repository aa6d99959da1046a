"""Lists, reads and writes the files of a git tree, within a budget."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.repositories import Repository, on_disk, repository
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.errors import CodeError
from wandb_repro.rerun.git_tree import Budget, blobs, list_tree, tree_on_disk, write_tree
from wandb_repro.rerun.restore import unpack

FILES = {"train.py": "x = 1\n", "lib/helper.py": "SIZE = 4\n"}


def unpacked(code: Repository, folder: Path) -> Git:
    """Return a private repository with all that was committed."""
    code.git("bundle", "create", "--quiet", str(folder / "all.bundle"), "HEAD")
    (folder / "objects").mkdir()
    private = private_repository(folder / "objects")
    unpack(private, folder / "all.bundle")
    return private


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    code = repository(tmp_path / "code", **FILES)
    (code.path / "link").symlink_to("lib/helper.py")
    (code.path / "train.py").chmod(0o755)
    code.commit()
    return code


@pytest.fixture
def git(made: Repository, tmp_path: Path) -> Git:
    return unpacked(made, tmp_path)


@pytest.fixture
def tree(made: Repository) -> str:
    return made.git("rev-parse", "HEAD^{tree}")


def test_the_listed_files_have_their_modes_and_sizes(git: Git, tree: str) -> None:
    listed = {
        os.fsdecode(it.path): (it.mode, it.size_bytes) for it in list_tree(git, tree, Budget())
    }

    assert listed == {
        "train.py": (b"100755", 6),
        "lib/helper.py": (b"100644", 9),
        "link": (b"120000", 13),
    }


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        (Budget(files=2), "more than 2 files"),
        (Budget(total_bytes=10), "larger than 10 bytes"),
        (Budget(file_bytes=8), "'lib/helper.py', which is larger than 8 bytes"),
    ],
)
def test_a_tree_beyond_the_budget_is_refused(
    budget: Budget, sentence: str, git: Git, tree: str
) -> None:
    with pytest.raises(CodeError, match=sentence):
        list_tree(git, tree, budget)


def test_each_blob_comes_with_its_file(git: Git, tree: str) -> None:
    found = {file.path: data for file, data in blobs(git, list_tree(git, tree, Budget()))}

    assert found == {
        b"train.py": b"x = 1\n",
        b"lib/helper.py": b"SIZE = 4\n",
        b"link": b"lib/helper.py",
    }


def test_what_was_written_is_the_tree_again(git: Git, tree: str, tmp_path: Path) -> None:
    write_tree(git, list_tree(git, tree, Budget()), tmp_path / "new")

    assert tree_on_disk(tmp_path / "new") == tree
    assert on_disk(tmp_path / "new")["train.py"] == ("100755", b"x = 1\n")


def test_the_id_changes_with_a_byte_and_with_a_permission(
    git: Git, tree: str, tmp_path: Path
) -> None:
    write_tree(git, list_tree(git, tree, Budget()), tmp_path / "new")
    (tmp_path / "new" / "train.py").chmod(0o644)
    without_permission = tree_on_disk(tmp_path / "new")
    (tmp_path / "new" / "train.py").write_text("x = 2\n")

    assert len({tree, without_permission, tree_on_disk(tmp_path / "new")}) == 3


def test_a_link_that_leads_out_through_another_is_refused(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"a/b/x": "1"})
    (code.path / "up").symlink_to("a/b")
    (code.path / "a" / "out").symlink_to("../up/../../..")
    code.commit()
    git = unpacked(code, tmp_path)

    with pytest.raises(CodeError, match="leads out of it"):
        write_tree(
            git, list_tree(git, code.git("rev-parse", "HEAD^{tree}"), Budget()), tmp_path / "new"
        )
