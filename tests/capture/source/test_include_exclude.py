"""Which part of a tree is wanted: patterns as in a .gitignore."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repositories import Repository, repository
from wandb_repro.capture.source.include_exclude import Selection, from_root
from wandb_repro.capture.source.take_snapshot import take_snapshot


def _monorepo(folder: Path) -> Repository:
    """Return a repository of two teams that share a library, each with an untracked file."""
    made = repository(
        folder,
        **{
            "vision/train.py": "v = 1\n",
            "vision/data.csv": "1\n",
            "speech/train.py": "s = 1\n",
            "shared/util.py": "u = 1\n",
        },
    )
    made.write("vision/new.py", "n = 1\n")
    made.write("speech/new.csv", "2\n")
    return made


ALL = {
    *("train.py", "vision/train.py", "vision/data.csv", "vision/new.py", "speech/train.py"),
    *("speech/new.csv", "shared/util.py"),
}
SHARED_VISION = {"shared/util.py", "vision/train.py", "vision/new.py"}


@pytest.mark.parametrize(
    ("include", "exclude", "base", "taken"),
    [
        ((), (), ".", ALL),
        ((), ("speech/",), ".", ALL - {"speech/train.py", "speech/new.csv"}),
        ((), ("*.csv",), ".", ALL - {"vision/data.csv", "speech/new.csv"}),
        ((), ("*.csv", "!data.csv"), ".", ALL - {"speech/new.csv"}),
        ((), ("/train.py",), ".", ALL - {"train.py"}),
        ((), ("**/new.*",), ".", ALL - {"vision/new.py", "speech/new.csv"}),
        ((), ("data.csv",), "vision", ALL - {"vision/data.csv"}),
        ((), ("*.csv",), "vision", ALL - {"vision/data.csv"}),
        (("shared/", "vision"), ("*.csv",), ".", SHARED_VISION),
        ((".", "../shared/"), (), "vision", {p for p in ALL if p[:6] in ("vision", "shared")}),
        (("*.csv",), (), ".", {"vision/data.csv", "speech/new.csv"}),
        (("nothing",), (), ".", set[str]()),
    ],
)  # fmt: skip
def test_patterns_mean_what_they_mean_in_a_gitignore(
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    base: str,
    taken: set[str],
    tmp_path: Path,
) -> None:
    made = _monorepo(tmp_path / "code")
    selection = Selection(include=include, exclude=exclude, base=made.path / base)

    with take_snapshot(made.path, selection=selection) as snapshot:
        assert snapshot.paths() == taken


def test_the_script_is_always_taken(tmp_path: Path) -> None:
    made = _monorepo(tmp_path / "code")
    script = made.path / "speech" / "train.py"
    selection = Selection(include=("shared/",), base=made.path, always=(script,))

    with take_snapshot(made.path, selection=selection) as snapshot:
        assert snapshot.paths() == {"shared/util.py", "speech/train.py"}


def test_a_folder_that_is_included_adds_to_the_patterns(tmp_path: Path) -> None:
    made = _monorepo(tmp_path / "code")
    folders = (made.path / "vision",)

    with take_snapshot(made.path, selection=Selection(folders=folders)) as snapshot:
        assert snapshot.paths() == {"vision/train.py", "vision/data.csv", "vision/new.py"}
    more = Selection(include=("shared/",), folders=folders, base=made.path)
    with take_snapshot(made.path, selection=more) as snapshot:
        assert "shared/util.py" in snapshot.paths()


def test_excluded_files_do_not_make_a_tree_dirty(tmp_path: Path) -> None:
    made = repository(tmp_path / "code", **{"other/a.py": "a = 1\n"})
    made.write("other/a.py", "a = 2\n")
    selection = Selection(exclude=("other/",), base=made.path)

    with take_snapshot(made.path) as snapshot:
        assert snapshot.dirty is True
    with take_snapshot(made.path, selection=selection) as snapshot:
        assert snapshot.dirty is False


def test_patterns_of_another_project_have_no_say(tmp_path: Path) -> None:
    made = _monorepo(tmp_path / "code")
    selection = Selection(include=("nothing",), exclude=("*.py",), base=tmp_path / "elsewhere")

    with take_snapshot(made.path, selection=selection) as snapshot:
        assert snapshot.paths() == ALL


def test_odd_file_names_are_matched_as_they_are(tmp_path: Path) -> None:
    names = {"a b.py", "new\nline.py", "Grüße.py", "-rf.py", ":(top).py", "!odd.py", "*.py"}
    made = repository(tmp_path / "code", **dict.fromkeys(names, "x"))
    selection = Selection(exclude=("*.py",), base=made.path, always=(made.path / "train.py",))

    with take_snapshot(made.path, selection=selection) as snapshot:
        assert snapshot.paths() == {"train.py"}
        assert set(map(bytes.decode, snapshot.excluded)) == names


@pytest.mark.parametrize(
    ("pattern", "base", "found"),
    [
        ("*.csv", "/r/code", "*.csv"),
        ("*.csv", "/r", "*.csv"),
        ("*.csv", "/r/code/t", "/t/**/*.csv"),
        ("data/", "/r/code/t", "/t/**/data/"),
        ("a/b/", "/r/code/t", "/t/a/b/"),
        ("!a/b", "/r/code/t", "!/t/a/b"),
        ("/x", "/r/code", "/x"),
        ("../libs/", "/r/code/t", "/libs/"),
        ("..", "/r/code/t", "/*"),
        (".", "/r/code", "/*"),
        ("code/src", "/r", "/src"),
        ("other/src", "/r", ""),
        ("../../../x", "/r/code/t", ""),
        ("a/b", "/r/code/[t]*", r"/\[t]\*/a/b"),
    ],
)
def test_a_pattern_of_one_folder_is_told_for_another(pattern: str, base: str, found: str) -> None:
    assert from_root(pattern, base=Path(base), root=Path("/r/code")) == found
