from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.candidates import (
    ExcludedFolders,
    candidate_files,
    is_regenerated,
)
from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.objects import REGULAR, Entry

ENTRY = Entry(REGULAR, "0" * 40)


def test_tracked_files_come_first_each_kind_sorted(tmp_path: Path) -> None:
    listing = Listing(index={b"z.py": ENTRY, b"b.py": ENTRY}, untracked={b"a.py", b"z.py"})
    assert list(candidate_files(tmp_path, listing, ())) == [
        (b"b.py", True),
        (b"z.py", True),
        (b"a.py", False),
    ]


def test_what_tools_make_again_counts_only_where_it_is_tracked(tmp_path: Path) -> None:
    cached = b"src/__pycache__/a.pyc"
    venv = {b".venv/pyvenv.cfg", b".venv/bin/python", b".venvs/notes.txt"}
    listing = Listing(index={cached: ENTRY}, untracked={b"__pycache__/b.pyc", *venv})
    found = list(candidate_files(tmp_path, listing, ()))
    assert found == [(cached, True), (b".venvs/notes.txt", False)]


@pytest.mark.parametrize(
    ("path", "regenerated"),
    [
        (b"web/node_modules/x.js", True),
        (b"__pycache__/a.pyc", True),
        (b"__pycache__", False),
        (b"my__pycache__/a.py", False),
    ],
)
def test_a_folder_that_is_made_again_is_known_by_its_whole_name(
    path: bytes, regenerated: bool
) -> None:
    assert is_regenerated(path) is regenerated


def test_wandbs_folder_is_known_by_its_runs_and_not_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "wandb" / "offline-run-20260101_000000-x").mkdir(parents=True)
    (tmp_path / "src" / "wandb").mkdir(parents=True)
    (tmp_path / "src" / "wandb" / "__init__.py").touch()
    excluded = ExcludedFolders(tmp_path, [])
    assert excluded.contains(b"wandb/settings")
    assert not excluded.contains(b"src/wandb/__init__.py")


def test_a_named_folder_is_excluded_and_the_root_itself_never(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    excluded = ExcludedFolders(root, [root / "out", root, root.parent / "elsewhere"])
    assert excluded.contains(b"out/a.txt")
    assert not excluded.contains(b"outer/a.txt")
    assert not excluded.contains(b"train.py")
