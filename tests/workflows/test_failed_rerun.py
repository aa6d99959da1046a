"""A rerun's process that failed: what its records do not say."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.recorded import Project
from tests.support.records import absent, full_manifest, rerun_manifest, trail
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.verdict import Verdict, judge
from wandb_repro.workflows.failed_rerun import (
    ends_outside_its_run,
    failure_of,
    how_it_ended,
    verdict_on_process,
)
from wandb_repro.workflows.prepare_rerun import prepare
from wandb_repro.workflows.rerun_options import RerunOptions

KILLED = rerun_manifest({"ending": absent("the run has not ended")})
STOPPED_BY_US = rerun_manifest({"ending": {"status": "interrupted", "detail": "RerunStopped"}})


def verdict_on(rerun: Manifest, limit: Limit | None = None) -> Verdict:
    ended = rerun is not KILLED
    return judge(full_manifest(), trail(), rerun, trail(ended=ended), limit)


@pytest.mark.parametrize("rerun", [KILLED, STOPPED_BY_US])
def test_a_process_that_failed_without_a_record_of_it_has_failed(rerun: Manifest) -> None:
    before = verdict_on(rerun).model_copy(update={"endings": None})
    verdict = verdict_on_process(before, rerun, -signal.SIGKILL)

    assert (verdict.grade, verdict.exit_code) == ("inconclusive", 5)
    assert verdict.reasons[0] == "the rerun's process ended with SIGKILL"
    assert verdict.endings is not None
    assert verdict.endings.rerun == "SIGKILL"


def test_a_killed_rerun_keeps_how_its_original_ended() -> None:
    verdict = verdict_on_process(verdict_on(KILLED), KILLED, -signal.SIGKILL)

    assert verdict.endings is not None
    assert (verdict.endings.original, verdict.endings.rerun) == ("finished", "SIGKILL")
    assert verdict.exit_code == 5


def test_a_part_that_failed_is_no_part_that_is_identical() -> None:
    part = verdict_on(rerun_manifest(), Limit(epoch=1))
    assert part.grade == "identical"

    assert verdict_on_process(part, rerun_manifest(), 1).exit_code == 5


def test_a_process_that_ended_well_and_one_that_diverged_keep_their_verdicts() -> None:
    well, killed = verdict_on(rerun_manifest()), verdict_on(KILLED)
    diverged = killed.model_copy(update={"grade": "diverged"})

    assert verdict_on_process(well, rerun_manifest(), 0) is well
    assert verdict_on_process(killed, KILLED, 0) is killed
    assert verdict_on_process(diverged, KILLED, 1) is diverged


def test_a_script_that_fails_after_its_run_keeps_the_verdict_and_is_noted() -> None:
    verdict = verdict_on(rerun_manifest())

    assert verdict_on_process(verdict, rerun_manifest(), 1) is verdict
    assert "exit code 1 after its W&B run was finished" in ends_outside_its_run(verdict, 1)
    assert ends_outside_its_run(verdict, 0) == ""


@pytest.mark.parametrize(
    ("returncode", "words"), [(1, "exit code 1"), (-9, "SIGKILL"), (-99, "signal 99")]
)
def test_the_end_of_a_process_in_words(returncode: int, words: str) -> None:
    assert how_it_ended(returncode) == words


def test_the_error_says_what_to_do(numbers: Project, tmp_path: Path) -> None:
    prepared = prepare(numbers.capsule, tmp_path / "work", RerunOptions(environment="here"))

    error = failure_of(prepared, 3)

    assert error.message == "The training ended with exit code 3; see its output above."
    assert error.returncode == 3
    assert "was ended by signal 9" in failure_of(prepared, -9).message
