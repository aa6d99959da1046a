from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.recorded import Ask, begun
from tests.support.repositories import Repository


class Told(NamedTuple):
    """What the demo said and left behind."""

    code: int
    text: str
    verdicts: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Give the demo, told once, for somebody whose settings would get in its way."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[commit]\n\tgpgSign = true\n")
    folder = home / "demo"
    disturbing = {
        "WANDB_DIR": str(home / "elsewhere"),
        "WANDB_RUN_ID": "mine",
        "WANDB_MODE": "disabled",
        "TF_NUM_INTRAOP_THREADS": "1",
        "GIT_DIR": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
    }
    with begun("demo", "--dir", folder, "--json", cwd=home, **disturbing) as process:
        out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    return Told(process.returncode, err, json.loads(out), folder)


def _acts(told: Told) -> list[str]:
    """Return the text of each act."""
    return re.split(r"^\d  ", told.text, flags=re.MULTILINE)[1:]


def _epochs(act: str) -> list[str]:
    return re.findall(r"^ +epoch \d+ .*$", act, flags=re.MULTILINE)


def test_it_tells_identical_diverged_identical_in_four_acts(told: Told) -> None:
    assert told.code == 0
    assert len(_acts(told)) == 4
    grades = [verdict["grade"] for verdict in told.verdicts]
    assert grades == ["identical", "diverged", "identical"]


def test_every_printed_loss_is_the_same_in_all_four_trainings(told: Told) -> None:
    printed = [_epochs(act) for act in _acts(told)]
    assert len(printed[0]) == 5
    assert all("loss" in line for line in printed[0])
    assert printed[1:] == [printed[0]] * 3


def test_one_thread_is_found_by_step_tensor_cause_and_cure(told: Told) -> None:
    _, broken, _ = told.verdicts
    assert broken["first"]["moment"] == "step"
    assert broken["first"]["leaves"]
    assert broken["metrics_equal_printed"] == 5
    assert broken["metrics_equal_bits"] < 5
    assert "thread" in broken["causes"][0]["sentence"]
    assert "2" in broken["causes"][0]["cure"]
    assert broken["causes"][0]["cure"] in " ".join(_acts(told)[2].split())


def test_what_is_identical_is_so_in_every_step(told: Told) -> None:
    for verdict in (told.verdicts[0], told.verdicts[2]):
        assert verdict["moments"] > 5 * 15
        assert verdict["metrics_equal_bits"] == 5


def test_the_project_was_moved_away_with_a_file_that_nobody_committed(told: Told) -> None:
    assert not (told.folder / "project").exists()
    moved = Repository(told.folder / "moved-away")
    assert "?? network.py" in moved.git("status", "--porcelain").splitlines()
    assert (told.folder / "rebuilt" / "env" / "bin" / "python").exists()


def test_it_reads_well_at_80_columns_and_is_plain_when_piped(told: Told) -> None:
    own = [line for line in told.text.splitlines() if not line.startswith(("·", "wandb"))]
    assert [line for line in own if len(line.rstrip()) > 80 and str(told.folder) not in line] == []
    assert "\x1b" not in told.text
    assert "Traceback" not in told.text


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, ask: Ask) -> None:
    (tmp_path / "mine").touch()
    answer = ask("demo", "--dir", tmp_path, cwd=tmp_path)
    assert answer.code == 2
    assert "is not empty" in answer.error
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_without_what_it_needs_it_names_the_extra(
    tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec

    def found(name: str) -> object:
        return None if name == "sklearn" else real(name)

    monkeypatch.setattr(importlib.util, "find_spec", found)
    answer = ask("demo", "--dir", tmp_path / "new", cwd=tmp_path)
    assert answer.code == 4
    assert "needs sklearn" in answer.error
    assert "wandb-repro[demo]" in answer.error
    assert not (tmp_path / "new").exists()


_VARIES = (
    (r"\bdemo/\w{8}\b", "demo/ID"),
    (r"\b[0-9a-f]{12}\b|\b[0-9a-f]{32}\b", "HEX"),
    (r"\d+\.\d{4}", "N"),
    (r"\d+ packages for Python [\d.]+|\d+ packages", "PACKAGES"),
    (r"(first tensor|in all) .*", r"\1 ..."),
    (r"(  apart) .*(\n {18}.*)*", r"\1 ..."),
    (r"Took \d+ s", "Took N s"),
    (r"^· /.*$", "· FOLDER"),
    (r"\d+\.\d MB", "N MB"),
)
"""What is another in every run, or on another processor."""


def _lasting(text: str) -> list[str]:
    for pattern, stands_for in _VARIES:
        text = re.sub(pattern, stands_for, text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_readme_shows_what_it_says(told: Told) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```text\n")[1].split("```")[0]
    assert _lasting(shown) == _lasting(told.text)
