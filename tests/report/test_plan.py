"""A plan as text: what a rerun will do, for the person who confirms it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from tests.support.records import full_manifest
from tests.support.terminal import on_paper
from wandb_repro.manifest.packages import Packages
from wandb_repro.report.plan import (
    first_line,
    inequality_sentence,
    interpreter_line,
    plan_text,
)
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.plan import Plan, make_plan

What = Literal["missing", "extra", "version", "content", "edited", "unknown"]
HERE = Choice(None, "this one", ())


def plan() -> Plan:
    return make_plan(
        full_manifest(),
        Path("/rerun-1"),
        FoundInputs(),
        values={3: "secret"},
        allow_missing=True,
    )


def text_of(made: Plan, choice: Choice = HERE, **sets: str) -> str:
    return on_paper(
        plan_text("ada/digits/a1", made, choice, recorded_by="ada", sets=sets), width=200
    )


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("", ""),
        ("x = 1", "x = 1"),
        ("\n\n  x = 1\n", "x = 1"),
        ("x = 1\ny = 2", "x = 1 ..."),
    ],
)
def test_a_cell_is_named_by_its_first_line_that_is_not_blank(source: str, line: str) -> None:
    assert first_line(source) == line


@pytest.mark.parametrize(
    ("what", "original", "sentence"),
    [
        ("missing", "1.0", "rich 1.0 is missing"),
        ("extra", "1.0", "rich 2.0 was not in the original"),
        ("version", "1.0", "rich is 2.0; the original had 1.0"),
        ("content", "1.0", "the files of rich differ"),
        ("unknown", "1.0", "the files of rich cannot be compared"),
        ("edited", "a.py", "rich was edited by hand in the original (a.py)"),
        ("edited", "", "rich was edited by hand (2.0)"),
    ],
)
def test_an_inequality_is_one_sentence(what: What, original: str, sentence: str) -> None:
    assert inequality_sentence(Inequality("rich", what, original, "2.0")) == sentence


def test_the_same_build_of_python_is_said_and_no_python_is_no_row() -> None:
    packages = full_manifest().execution.packages
    assert isinstance(packages, Packages)
    wanted = packages.interpreter
    same = FoundPython(Path("/usr/bin/python3"), wanted.version, wanted.build, "cpython")

    assert interpreter_line(wanted, same) == f"Python {wanted.version}, the same build"
    assert interpreter_line(wanted, replace(same, version="3.11.8")).count("3.11.8") == 1
    assert interpreter_line(wanted, None) == ""


def test_the_plan_names_what_it_sets_and_ends_with_a_warning() -> None:
    text = text_of(plan(), B="two words", A="1")

    assert "rerun  ada/digits/a1" in text
    assert "A=1 B='two words'" in text
    assert text.rstrip().endswith("on this machine with your permissions.")


def test_of_many_differences_five_are_listed() -> None:
    unequal = tuple(Inequality(f"package-{n}", "missing", "1.0", "") for n in range(9))

    text = text_of(plan(), Choice(None, "this one", unequal))

    assert "package-4 1.0 is missing" in text
    assert "package-5" not in text
    assert "and 4 more packages" in text


def test_of_many_files_twenty_are_listed() -> None:
    made = plan()
    missing = replace(made.inputs, missing=tuple(f"/data/{n}.csv" for n in range(23)))

    text = text_of(replace(made, inputs=missing))

    assert "/data/19.csv" in text
    assert "/data/20.csv" not in text
    assert "and 3 files more" in text
