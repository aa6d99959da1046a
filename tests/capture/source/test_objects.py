"""Git's ids, and what a tree of ours may hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.repositories import repository
from wandb_repro.capture.source.objects import (
    EXECUTABLE,
    LINK,
    REGULAR,
    Entry,
    blob_id,
    link_escapes,
    tree_id,
    unsafe_path,
)

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def test_a_blob_has_the_id_that_git_gives_it() -> None:
    assert blob_id(b"what is up, doc?") == "bd9dbf5aae1a3862dd1526723246b20206e5fc37"


def test_a_tree_without_files_has_the_id_that_git_gives_it() -> None:
    assert tree_id({}) == EMPTY_TREE


def test_a_tree_has_the_id_that_git_gives_it(tmp_path: Path) -> None:
    """``a-b``, ``a.b`` and ``a0`` sort around the folder ``a`` as only git sorts them."""
    names = ("a/z.py", "a/deep/er/x.py", "a-b", "a.b", "a0", "train.py")
    made = repository(tmp_path, **dict.fromkeys(names, "x"))
    (tmp_path / "a0").chmod(0o755)
    (tmp_path / "link").symlink_to("a0")
    made.commit()
    entries = {name.encode(): Entry(REGULAR, blob_id(b"x")) for name in names}
    entries[b"train.py"] = Entry(REGULAR, blob_id(b"x"))
    entries[b"a0"] = Entry(EXECUTABLE, blob_id(b"x"))
    entries[b"link"] = Entry(LINK, blob_id(b"a0"))

    assert tree_id(entries) == made.git("rev-parse", "HEAD^{tree}")


@given(st.permutations([b"a/b", b"a/c", b"a.b", b"d", b"e/f/g"]))
def test_the_order_of_the_files_has_no_say(order: list[bytes]) -> None:
    entries = {path: Entry(REGULAR, blob_id(path)) for path in order}

    assert tree_id(entries) == tree_id(dict(sorted(entries.items())))


@given(st.binary(min_size=1, max_size=12))
def test_a_safe_path_stays_below_its_folder(path: bytes) -> None:
    if unsafe_path(path):
        return

    names = path.replace(b"\\", b"/").split(b"/")
    assert b"\0" not in path
    assert not {b"", b".", b".."}.intersection(names)
    assert b".git" not in {name.lower() for name in names}


@pytest.mark.parametrize(
    "path",
    [b"train.py", b".gitignore", b".github/a.yml", b"a..b", b"...", "ü/ß.py".encode(), b"\xff"],
)
def test_an_ordinary_path_is_safe(path: bytes) -> None:
    assert unsafe_path(path) == ""


@pytest.mark.parametrize(
    "path",
    [
        *(b"", b"/a", b"a/", b"a//b", b"..", b"a/../b", b"./a", b"a\\..\\b", b"a\0b"),
        *(b".git", b".GIT/config", b"a/.Git", b"git~1", b".git ", b".git.", b".git::$INDEX"),
        *(".g\u200cit".encode(), b"a/" * 300 + b"b", b"a" * 3000),
    ],
)
def test_a_path_that_could_harm_is_refused(path: bytes) -> None:
    assert unsafe_path(path)


@pytest.mark.parametrize("target", [b"b", b"../b", b"./c/../d", b"..", b"deep/er"])
def test_a_link_inside_the_tree_does_not_escape(target: bytes) -> None:
    assert not link_escapes(b"a/link", target)


@pytest.mark.parametrize("target", [b"", b"/", b"/etc", b"../..", b"x/../../../y"])
def test_a_link_out_of_the_tree_escapes(target: bytes) -> None:
    assert link_escapes(b"a/link", target)
