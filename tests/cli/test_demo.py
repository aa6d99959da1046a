"""``demo`` as a command: what it refuses, what it forgets, and its exit code."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import get_args
from unittest import mock

import pytest

from tests.support.recorded import Ask
from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.verify.verdict import Grade, Verdict, judge


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


@pytest.fixture
def own_environment() -> Generator[None]:
    """Undo whatever the command does to this process's environment."""
    with mock.patch.dict(os.environ):
        yield


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, own_environment: None) -> list[Grade]:
    """Return the grades that the acts end with, in place of three trainings."""
    del own_environment
    grades: list[Grade] = []
    verdict = judge(full_manifest(), trail(), rerun_manifest(), trail())

    def told(_: object) -> tuple[Verdict, ...]:
        return tuple(verdict.model_copy(update={"grade": grade}) for grade in grades)

    monkeypatch.setattr("wandb_repro.cli.demo._check_installed", lambda: None)
    monkeypatch.setattr("wandb_repro.cli.demo._Story.tell", told)
    return grades


def test_three_verdicts_as_expected_end_well_and_name_the_folder_to_delete(
    story: list[Grade], tmp_path: Path, ask: Ask
) -> None:
    story.extend(("identical", "diverged", "identical"))

    answer = ask("demo", "--dir", tmp_path / "new", "--json", cwd=tmp_path)

    assert answer.code == 0
    assert [verdict["grade"] for verdict in answer.data] == story
    assert str(tmp_path / "new") in answer.error
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize(("first", "left"), [("identical", 0), ("diverged", 1)])
def test_a_folder_of_its_own_is_deleted_if_all_went_as_expected(
    first: Grade,
    left: int,
    story: list[Grade],
    tmp_path: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story.extend((first, "diverged", "identical"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    answer = ask("demo", cwd=tmp_path)

    assert answer.code == left
    assert len(list(tmp_path.glob("wandb-repro-demo-*"))) == left
    said = " ".join(answer.error.split())
    assert ("You can delete this folder:" if left else "All files are deleted") in said


@pytest.mark.parametrize("other", [grade for grade in get_args(Grade) if grade != "diverged"])
def test_another_verdict_is_an_exit_code_and_named_with_what_was_expected(
    other: Grade, story: list[Grade], tmp_path: Path, ask: Ask
) -> None:
    story.extend(("identical", other, "identical"))

    answer = ask("demo", "--dir", tmp_path / "new", cwd=tmp_path)

    assert answer.code == 1
    said = " ".join((answer.text + answer.error).split())
    assert f"the verdicts were identical, {other}, identical; expected: identical, div" in said


def test_variables_of_another_project_are_forgotten_and_the_cache_is_kept(
    story: list[Grade], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ask: Ask
) -> None:
    seen: dict[str, str] = {}

    def told(_: object) -> tuple[Verdict, ...]:
        seen.update(os.environ)
        return ()

    monkeypatch.setattr("wandb_repro.cli.demo._Story.tell", told)
    assert story == []
    other = {
        "WANDB_RUN_ID": "mine",
        "GIT_DIR": "/elsewhere",
        "TF_NUM_INTRAOP_THREADS": "1",
        "WANDB_REPRO_CACHE": str(tmp_path / "cache"),
        "HOME": str(tmp_path),
    }

    ask("demo", "--dir", tmp_path / "new", cwd=tmp_path, **other)

    assert {"WANDB_RUN_ID", "GIT_DIR", "TF_NUM_INTRAOP_THREADS"}.isdisjoint(seen)
    assert (seen["WANDB_MODE"], seen["HOME"]) == ("offline", str(tmp_path))
    assert seen["WANDB_REPRO_CACHE"] == str(tmp_path / "cache")
