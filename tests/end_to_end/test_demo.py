from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.hidden_modules import ALL_MODULES
from tests.support.recorded import begun
from tests.support.repositories import Repository

registry = pytest.mark.registry  # the second act installs some hundred packages


class Demo(NamedTuple):
    """What the demo printed and left behind."""

    code: int
    text: str
    verdicts: list[dict[str, Any]]
    folder: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo once, for somebody whose settings would get in its way."""
    home = tmp_path_factory.mktemp("home")
    (home / ".gitconfig").write_text("[commit]\n\tgpgSign = true\n")
    folder = home / "demo"
    disturbing = {
        **ALL_MODULES,
        "WANDB_DIR": str(home / "elsewhere"),
        "WANDB_RUN_ID": "mine",
        "WANDB_MODE": "disabled",
        "TF_NUM_INTRAOP_THREADS": "1",
        # As on a processor with AVX512-VNNI, where TensorFlow says so twice in each process.
        "TF_ENABLE_ONEDNN_OPTS": "1",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "GIT_DIR": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
    }
    with begun("demo", "--dir", folder, "--json", cwd=home, **disturbing) as process:
        out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    return Demo(process.returncode, err, json.loads(out), folder)


def _acts(demo: Demo) -> list[str]:
    """Return the text of each act."""
    return re.split(r"^\d  ", demo.text, flags=re.MULTILINE)[1:]


def _epochs(act: str) -> list[str]:
    return re.findall(r"^ +epoch \d+ .*$", act, flags=re.MULTILINE)


@registry
def test_it_shows_identical_diverged_identical_in_four_acts(demo: Demo) -> None:
    assert demo.code == 0
    assert len(_acts(demo)) == 4
    grades = [verdict["grade"] for verdict in demo.verdicts]
    assert grades == ["identical", "diverged", "identical"]


@registry
def test_every_act_prints_five_epochs_and_the_identical_ones_print_the_same(demo: Demo) -> None:
    recorded, rebuilt, broken, cured = (_epochs(act) for act in _acts(demo))
    assert [len(printed) for printed in (recorded, rebuilt, broken, cured)] == [5] * 4
    assert all("loss" in line for line in recorded)
    assert rebuilt == recorded
    assert cured == recorded


@registry
def test_nothing_of_a_framework_is_on_the_screen_and_all_of_it_in_the_log(demo: Demo) -> None:
    for foreign in ("oneDNN", "tensorflow/", "absl", "port.cc", "WARNING:"):
        assert foreign not in demo.text
    log = (demo.folder / "trainings.log").read_text(encoding="utf-8")
    assert _epochs(log) == _epochs(demo.text)


@registry
def test_one_thread_is_found_by_step_tensor_cause_and_cure(demo: Demo) -> None:
    _, broken, _ = demo.verdicts
    assert broken["first"]["moment"] == "step"
    assert broken["first"]["leaves"]
    # How far the bits part, and whether four decimals show it, is the processor's to decide.
    assert broken["metrics_equal_bits"] <= broken["metrics_equal_printed"] <= 5
    assert "thread" in broken["causes"][0]["sentence"]
    assert "2" in broken["causes"][0]["cure"]
    assert broken["causes"][0]["cure"] in " ".join(_acts(demo)[2].split())


@registry
def test_what_is_identical_is_so_in_every_step(demo: Demo) -> None:
    for verdict in (demo.verdicts[0], demo.verdicts[2]):
        assert verdict["moments"] > 5 * 15
        assert verdict["metrics_equal_bits"] == 5


@registry
def test_the_project_was_moved_away_with_a_file_that_nobody_committed(demo: Demo) -> None:
    assert not (demo.folder / "project").exists()
    moved = Repository(demo.folder / "moved-away")
    assert "?? network.py" in moved.git("status", "--porcelain").splitlines()
    assert (demo.folder / "rebuilt" / "env" / "bin" / "python").exists()


@registry
def test_it_reads_well_at_80_columns_and_is_plain_when_piped(demo: Demo) -> None:
    own = [line for line in demo.text.splitlines() if not line.startswith(("·", "wandb"))]
    assert [line for line in own if len(line.rstrip()) > 80 and str(demo.folder) not in line] == []
    assert "\x1b" not in demo.text
    assert "Traceback" not in demo.text


_VARIES = (
    (r"^(diverged ) .*(\n .*)*", r"\1 ..."),
    (r"\bdemo/\w{8}\b", "demo/ID"),
    (r"\boffline-run-\w+-\w{8}\b", "offline-run-ID"),
    (r"\b[0-9a-f]{12}\b|\b[0-9a-f]{32}\b", "HEX"),
    (r"\d+\.\d{4}", "N"),
    (r"\d+ packages for Python [\d.]+|\d+ packages", "PACKAGES"),
    (r"Took \d+ s", "Took N s"),
    (r"^· /.*$", "· FOLDER"),
    (r"\d+\.\d kB", "N kB"),
)
"""What is another in every run, or on another processor: there, how two trainings differ."""


def _lasting(text: str) -> list[str]:
    for pattern, stands_for in _VARIES:
        text = re.sub(pattern, stands_for, text, flags=re.MULTILINE)
    return [line.rstrip() for line in text.strip().splitlines()]


@registry
def test_the_readme_shows_what_it_says(demo: Demo) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("```text\n")[1].split("```")[0]
    assert _lasting(shown) == _lasting(demo.text)
    assert _labels(_diverged(shown)) - {"also"} <= _labels(_diverged(demo.text))


def _diverged(text: str) -> str:
    """Return the rows of the verdict that says how the trainings differ."""
    return text.split("\ndiverged ")[1].split("\n\n")[0]


def _labels(rows: str) -> set[str]:
    return set(re.findall(r"^  (\w+(?: \w+)*)  ", rows, flags=re.MULTILINE))
