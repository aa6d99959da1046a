"""Scripts that fail, in the original, the rerun or both: each still gets its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import NUMBERS, Answer, Ask, Project
from wandb_repro.manifest.manifest import Ending

HERE = ("--env", "here", "--yes")

FAILS = (
    NUMBERS
    + """
if what == "plot":
    raise TypeError("no display")
if what == "exit":
    sys.exit(3)
if what == "stop":
    raise KeyboardInterrupt
run.finish()
if what == "afterwards":
    raise OSError("no printer")
"""
)


def line_of(text: str) -> str:
    """Return the place of a line that ends like this."""
    lines = FAILS.splitlines()
    (number,) = [at for at, line in enumerate(lines, start=1) if line.endswith(text)]
    return f"train.py:{number}"


PLOT = "TypeError at " + line_of('TypeError("no display")')
EXIT = "exit code 3 at " + line_of("sys.exit(3)")
GONE = "ValueError at " + line_of('images is gone")')


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a run that failed after its training."""
    project = Project.made(tmp_path_factory.mktemp("failed") / "project", FAILS)
    assert project.record("train.py", NUMBERS_DO="plot").returncode == 1
    return project


def rerun(project: Project, work: Path, ask: Ask, do: str = "", *words: str) -> Answer:
    return ask(
        "rerun",
        project.capsule.folder,
        *HERE,
        "--dir",
        work,
        *words,
        cwd=project.folder,
        NUMBERS_DO=do,
    )


def test_a_failure_after_training_that_repeats_is_identical_up_to_the_failure(
    failed: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = rerun(failed, tmp_path / "work", ask, "plot")

    assert answer.code == 0, answer.err
    assert f"identical up to the failure: both ended with {PLOT}" in answer.text
    assert f"ended both with {PLOT}" in answer.text


def test_show_and_check_say_where_the_original_failed(failed: Project, ask: Ask) -> None:
    shown = ask("show", "latest", cwd=failed.folder)
    assert f"ended failed: {PLOT}" in shown.text
    assert f"The run failed with {PLOT}; a rerun is compared up to there" in shown.text
    checked = ask("check", "latest", cwd=failed.folder)
    assert f"failed {PLOT}; a rerun is compared up to there" in checked.text


def test_an_original_that_failed_and_a_rerun_that_did_not_have_diverged(
    failed: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = rerun(failed, tmp_path / "work", ask, "", "--json")

    assert answer.code == 1, answer.err
    (difference,) = answer.data["outputs"]
    assert (difference["what"], difference["original"]) == ("ending", PLOT)
    assert difference["rerun"] == "finished"
    assert answer.data["first"] is None


@pytest.mark.slow
@pytest.mark.parametrize(("do", "code"), [("exit", 1), ("fail:2", 5), ("fail:3", 5), ("kill:2", 5)])
def test_a_rerun_that_fails_otherwise_differs_and_one_that_fails_earlier_has_failed(
    failed: Project, tmp_path: Path, ask: Ask, do: str, code: int
) -> None:
    answer = rerun(failed, tmp_path / "work", ask, do, "--json")

    assert answer.code == code, answer.err
    endings = answer.data["endings"]
    assert endings["original"] == PLOT
    assert endings["rerun"] == {"exit": EXIT, "kill:2": "SIGKILL"}.get(do, GONE)
    assert endings["rerun_failed"] is (code == 5)
    assert answer.data["grade"] == ("inconclusive" if code == 5 else "diverged")


@pytest.mark.slow
@pytest.mark.parametrize("do", ["exit", "stop"])
def test_an_exit_or_an_interruption_that_repeats_is_identical_up_to_there(
    tmp_path: Path, ask: Ask, do: str
) -> None:
    project = Project.made(tmp_path / "project", FAILS)
    assert project.record("train.py", NUMBERS_DO=do).returncode != 0
    answer = rerun(project, tmp_path / "work", ask, do)

    assert answer.code == 0, answer.err
    what = {"exit": "failure", "stop": "interruption"}[do]
    assert f"identical up to the {what}: both ended with " in answer.text


@pytest.mark.slow
def test_a_failure_after_the_run_was_finished_is_noted_beside_the_verdict(
    tmp_path: Path, ask: Ask
) -> None:
    project = Project.made(tmp_path / "project", FAILS)
    assert project.record("train.py", NUMBERS_DO="afterwards").returncode == 1
    assert project.manifest.ending == Ending(status="finished")
    answer = rerun(project, tmp_path / "work", ask, "afterwards", "--json")

    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert "after its W&B run was finished" in answer.data["notes"][-1]
    assert "after its W&B run was finished" in answer.err
