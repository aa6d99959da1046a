"""Where paths of the original's machine are in the new folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.errors import RefusedError
from wandb_repro.rerun.path_map import (
    code_folder,
    is_absolute,
    levels_up,
    mirrored,
    moved,
    path_in_tree,
    relative_to_tree,
)

ROOT = "/home/ada/digits"
NEW = Path("/new/tree")
CODE = NEW / "ada" / "digits"


@pytest.mark.parametrize(("path", "expected"), [("/a", True), ("a", False), ("/a\0b", False)])
def test_an_absolute_path_is_one_that_a_system_can_hold(path: str, expected: bool) -> None:
    assert is_absolute(path) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/ada/digits", "/new"),
        ("/home/ada/digits/x", "/new/x"),
        ("--data=/home/ada/digits/x", "--data=/new/x"),
        ("/home/ada/digits-2/x", "/home/ada/digits-2/x"),
        ("see /home/ada/digits", "see /home/ada/digits"),
        ("", ""),
    ],
)
def test_a_text_that_is_a_path_below_the_tree_moves(text: str, expected: str) -> None:
    assert moved(text, ROOT, Path("/new")) == expected


def test_a_slash_at_the_end_of_the_root_changes_nothing() -> None:
    assert moved("/home/ada/digits/x", f"{ROOT}/", Path("/new")) == "/new/x"


def test_nothing_moves_when_the_tree_was_the_whole_disk() -> None:
    assert moved("/etc/hosts", "/", Path("/new")) == "/etc/hosts"


@pytest.mark.parametrize(
    ("absolute", "opened_as", "expected"),
    [
        ("/home/ada/digits/x.csv", "x.csv", "x.csv"),
        ("/home/ada/digits/x.csv", "/home/ada/digits/x.csv", "x.csv"),
        ("/home/ada/data/x.csv", "../data/x.csv", "../data/x.csv"),
        ("/home/ada/data/x.csv", "/home/ada/data/x.csv", None),
    ],
)
def test_where_the_script_looks_for_a_file(
    absolute: str, opened_as: str, expected: str | None
) -> None:
    assert relative_to_tree(absolute, ROOT, opened_as=opened_as) == expected


@pytest.mark.parametrize(("path", "expected"), [("a/b", 0), ("../a", 1), ("../../a/b", 2)])
def test_how_far_a_relative_path_goes_up(path: str, expected: int) -> None:
    assert levels_up(path) == expected


@pytest.mark.parametrize(
    ("root", "up", "expected"),
    [
        (ROOT, 0, "digits"),
        (ROOT, 1, "digits"),
        (ROOT, 2, "ada/digits"),
        (ROOT, 9, "home/ada/digits"),
        ("/", 0, "code"),
        ("/a/../..", 0, "code"),
    ],
)
def test_the_tree_is_restored_as_deep_as_the_script_looks_up(
    root: str, up: int, expected: str
) -> None:
    assert code_folder(NEW, root, up) == NEW / expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("/home/ada/digits/jobs", CODE / "jobs"),
        ("/home/ada/runs", NEW / "ada" / "runs"),
        ("/home/ada", NEW / "ada"),
        ("/home", NEW),
        ("/etc", None),
    ],
)
def test_a_folder_of_the_original_is_mirrored_in_the_new_one_or_nowhere(
    place: str, expected: Path | None
) -> None:
    assert mirrored(place, ROOT, CODE, NEW) == expected


def test_a_recorded_path_is_in_the_restored_tree_or_stays_where_it_was() -> None:
    assert path_in_tree(CODE, "jobs/train.py") == CODE / "jobs" / "train.py"
    assert path_in_tree(CODE, "/tools/train.py") == Path("/tools/train.py")


@pytest.mark.parametrize("path", ["../x", "a/../../b", "a\0b", "/a\0b"])
def test_a_recorded_path_that_leaves_the_tree_is_refused(path: str) -> None:
    with pytest.raises(RefusedError, match="leaves its tree"):
        path_in_tree(CODE, path)
