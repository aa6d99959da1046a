from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.tree_paths import MOST_UP, TreePaths


@pytest.fixture(name="top")
def _top(tmp_path: Path) -> Path:
    """Make ``data/home/ada/digits``, reached by the link ``home``, and ``shared/lib``."""
    top = tmp_path.resolve()
    (top / "data/home/ada/digits").mkdir(parents=True)
    (top / "home").symlink_to(top / "data/home")
    (top / "shared/lib").mkdir(parents=True)
    return top


def test_a_link_above_the_tree_is_resolved(top: Path) -> None:
    paths = TreePaths(top / "data/home/ada/digits")
    assert paths.resolve(f"{top}/home/ada/digits/a.py") == f"{top}/data/home/ada/digits/a.py"
    assert paths.resolve(f"{top}/home/ada/lib/tool.py") == f"{top}/data/home/ada/lib/tool.py"


def test_a_link_beside_the_tree_keeps_the_name_that_scripts_say(top: Path) -> None:
    (top / "data/home/ada/lib").symlink_to(top / "shared/lib")
    paths = TreePaths(top / "data/home/ada/digits")
    assert paths.resolve(f"{top}/data/home/ada/lib/t.py") == f"{top}/data/home/ada/lib/t.py"


def test_a_file_is_too_far_where_a_rerun_would_make_too_many_folders() -> None:
    paths = TreePaths(Path("/" + "d/" * (MOST_UP + 4)))
    assert paths.is_too_far("/other/a.py")
    assert not paths.is_too_far("/" + "d/" * 4 + "other/a.py")
    assert not paths.is_too_far("/" + "d/" * (MOST_UP + 4) + "a.py")
