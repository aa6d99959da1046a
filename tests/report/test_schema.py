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
from wandb_repro.report.schema import FILE
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge

PUBLISHED = resources.files("wandb_repro.report") / FILE


def checked(data: object) -> None:
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    cast("Any", jsonschema).Draft202012Validator(schema).validate(data)


def test_the_published_schema_is_what_its_command_prints(request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "-m", "wandb_repro.report.schema"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if request.config.getoption("--rewrite-golden"):
        Path(str(PUBLISHED)).write_text(printed, encoding="utf-8")
    assert printed == PUBLISHED.read_text(encoding="utf-8")


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
