from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repositories import repository
from tests.support.slow_quarter import LONG_FILES, QUARTERS, chosen_quarter, quarter_of

ROOT = Path(__file__).parents[2]
SLOW_FILE = "tests/testing/test_resumes.py"
"""A file whose tests are all slow."""


def test_every_quarter_has_about_as_many_slow_files() -> None:
    files = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.slow" in path.read_text(encoding="utf-8")
    ]
    quarters = [quarter_of(file) for file in files]
    assert set(quarters) == {1, 2, 3, 4}
    assert max(map(quarters.count, quarters)) <= len(files) / 2


def test_the_files_that_take_long_exist() -> None:
    assert set(LONG_FILES) <= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


def test_the_number_of_commits_chooses_so_that_four_landings_run_all(tmp_path: Path) -> None:
    repo = repository(tmp_path / "repo", **{"a.txt": "a"})
    seen = [chosen_quarter("auto", repo.path)]
    for _ in range(3):
        repo.git("commit", "--quiet", "--allow-empty", "--message", "another")
        seen.append(chosen_quarter("auto", repo.path))
    assert sorted(seen) == [1, 2, 3, 4]


def test_a_checkout_without_git_runs_the_first_quarter(tmp_path: Path) -> None:
    assert chosen_quarter("auto", tmp_path) == 1


@pytest.mark.parametrize("wish", ["0", "5", "", "all"])
def test_anything_but_a_quarter_is_refused(wish: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="takes auto or 1 to 4"):
        chosen_quarter(wish, tmp_path)


@pytest.mark.parametrize("further", [0, 1])
def test_a_slow_file_is_collected_in_its_own_quarter_alone(further: int) -> None:
    quarter = (quarter_of(SLOW_FILE) - 1 + further) % QUARTERS + 1
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
        "--collect-only",
    ]
    done = subprocess.run(
        [*command, "-q", "--slow-quarter", str(quarter), SLOW_FILE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    is_collected = f"{SLOW_FILE}::" in done.stdout
    assert is_collected == (further == 0), done.stdout + done.stderr
