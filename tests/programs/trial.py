"""Records a program, reruns it unchanged and changed, and compares the verdicts with its head."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from tests.programs.program import CHANGED, Expected, Program
from tests.support.hidden_modules import shown_to
from tests.support.notebooks import executed
from tests.support.recorded import Project, newcomer
from tests.support.repositories import repository
from wandb_repro.report.verdict import verdict_line
from wandb_repro.verify.verdict import EXIT_CODES, Verdict

__all__ = ["Got", "Trial", "missing", "tried"]

_LIMIT_S = 300


@dataclass(frozen=True)
class Got:
    """The verdict that a rerun got."""

    grade: str
    """``none`` if there is no verdict."""
    code: int
    difference: str
    """What differs first, or why nothing is known; empty if nothing differs."""
    log: str = ""
    """What the rerun wrote on standard error."""

    def fault(self, expected: Expected) -> str:
        """Say what is not as expected; empty if nothing."""
        grade = expected.grade
        if self.grade != grade or self.code != EXIT_CODES[grade]:
            return f"{self.grade} with exit code {self.code} instead of {grade}"
        for name in expected.names:
            if name not in self.difference:
                return f"{name!r} is not named in {self.difference!r}"
        return ""


@dataclass(frozen=True)
class Trial:
    """A program and the verdicts of its two reruns."""

    program: Program
    unchanged: Got
    changed: Got

    @property
    def faults(self) -> tuple[str, ...]:
        """What is not as the program's head says."""
        both = {
            "unchanged": self.unchanged.fault(self.program.unchanged),
            "changed": self.changed.fault(self.program.changed),
        }
        return tuple(f"{rerun}: {fault}" for rerun, fault in both.items() if fault)


def missing(program: Program) -> str:
    """Return the modules that a program needs and that are not installed; empty if none."""
    return ", ".join(name for name in program.needs if find_spec(name) is None)


def tried(program: Program, folder: Path) -> Trial:
    """Record a program in a new folder, and rerun it twice.

    Raises:
        AssertionError: the program itself failed, or left no run.
    """
    shown = shown_to(program.text)
    project = _recorded(program, folder, shown)
    run = project.run_folder
    unchanged = _rerun(project, run, **shown)
    changed = _rerun(project, run, **shown, **{CHANGED: "1"})
    return Trial(program, unchanged, changed)


def _variables() -> dict[str, str]:
    # Backends that are not in the tests' environment.
    path = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": path} if path else {}


def _recorded(program: Program, folder: Path, shown: Mapping[str, str]) -> Project:
    text = program.instrumented
    files = {"train.py": text, ".gitignore": "wandb/\n"}
    if program.start == "notebook":
        files = {"readme.txt": program.way, ".gitignore": "wandb/\n*.ipynb\n"}
    project = Project(repository(folder, **files).path)
    if program.start == "notebook":
        cells = [cell.strip("\n") for cell in text.split("# %%\n")]
        environ = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **shown}
        executed(folder, cells, **cast("Any", environ))
        return project
    words = ["train.py"]
    if program.start == "wandb-repro run":
        words = ["-m", "wandb_repro", "run", "--", "python", *words]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=_environment(folder, **shown),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, f"{program.name} failed:\n{done.stdout}\n{done.stderr}"
    assert (folder / "wandb" / "latest-run").exists(), f"{program.name}: no run\n{done.stderr}"
    return project


def _environment(folder: Path, **more: str) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return newcomer(**{"WANDB_DIR": str(folder), "PATH": path, **_variables(), **more})


def _rerun(project: Project, run: Path, **more: str) -> Got:
    words = ("rerun", run, "--env", "here", "--yes", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "wandb_repro", *map(str, words)],
        cwd=project.folder,
        env=_environment(project.folder, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    try:
        data: Any = json.loads(done.stdout)
        verdict = Verdict.model_validate(
            {name: data[name] for name in Verdict.model_fields if name in data}, strict=False
        )
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or [""]
        return Got("none", done.returncode, last[0], done.stderr)
    return Got(verdict.grade, done.returncode, first_difference(verdict), done.stderr)


def first_difference(verdict: Verdict) -> str:
    """Return what differs first, or why nothing is known, in one line."""
    if verdict.grade == "identical":
        return ""
    if verdict.grade == "inconclusive":
        return "; ".join(verdict.reasons)
    parts = [verdict_line(verdict)[1]]
    if verdict.moved is not None:
        parts.append(verdict.moved.sentence)
    if verdict.first is not None and verdict.first.leaves:
        parts.append(verdict.first.leaves[0].label)
    return "; ".join(parts)
