"""The verdict's schema is published, is that of the record, and fits what the commands print."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any, cast

import jsonschema
import pytest

from tests.support.recorded import Ask, Project
from tests.support.records import full_manifest, moment, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged
from wandb_repro.report.schema import FILES
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.history_diff import HistoryComparison
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge

FOLDER = resources.files("wandb_repro.report")


def checked(data: object, file: str = "verdict.schema.json") -> None:
    schema = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    cast("Any", jsonschema).Draft202012Validator(schema).validate(data)


@pytest.mark.parametrize("file", FILES)
def test_the_published_schema_is_what_its_command_prints(
    request: pytest.FixtureRequest, file: str
) -> None:
    command = [sys.executable, "-m", "wandb_repro.report.schema", file]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    published = FOLDER / file
    if request.config.getoption("--rewrite-golden"):
        Path(str(published)).write_text(printed, encoding="utf-8")
    assert printed == published.read_text(encoding="utf-8")


def test_a_verdict_of_every_grade_fits_it() -> None:
    early = [moment("initial", epoch=0, step=0), moment("epoch", metrics={"loss": 1.0})]
    other = [early[0], moment("epoch", leaves=("f0", "b0", "c0"), metrics={"loss": 1.1})]
    for grade, two, tolerance in (
        ("identical", early, Tolerance()),
        ("diverged", other, Tolerance()),
        ("equivalent", other, Tolerance(rtol=0.5)),
        ("inconclusive", early[:1], Tolerance()),
    ):
        sides = full_manifest(), trail(early), rerun_manifest(), trail(two)
        verdict = judge(*sides, Limit(), tolerance=tolerance)
        assert verdict.grade == grade
        checked(verdict.model_dump(mode="json"))


def test_what_is_no_verdict_does_not_fit_it() -> None:
    verdict = judge(full_manifest(), trail(), rerun_manifest(), trail()).model_dump(mode="json")
    for broken in ({**verdict, "grade": "fine"}, {**verdict, "moments": "six"}, {"grade": "x"}):
        with pytest.raises(cast("Any", jsonschema).ValidationError):
            checked(broken)
    assert Verdict.model_validate_json(json.dumps(verdict)).exit_code == 0


def test_what_verify_prints_as_json_fits_it(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    answer = ask("verify", numbers.run_folder, numbers.run_folder, "--json", cwd=tmp_path)

    checked(answer.data)


def test_a_verdict_on_a_history_fits_its_own() -> None:
    row = Logged(first=1, rows=1, texts={"note": ("str:a",)}, steps="4")
    comparison = HistoryComparison(Trail((row,), torn=False))
    verdict = comparison.verdict("a1", is_running=False, without_step=0).model_dump(mode="json")

    checked(verdict, "history.schema.json")
    with pytest.raises(cast("Any", jsonschema).ValidationError):
        checked({**verdict, "lost": 1}, "history.schema.json")
