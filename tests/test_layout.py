"""The tree keeps to its plan: one meaning for each name, and a test file for each module."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wandb_repro"

SHARED_NAMES = {
    "audit": "the state of a project's runs: judged in verify/, printed by cli/",
    "cache": "the environments that reruns keep: made in rerun/, listed by cli/ and report/",
    "callback": "a Keras callback",
    "card": "the HTML card of a run: written in recording/, rendered in report/",
    "cells": "the executed cells of a notebook",
    "check": "whether a rerun here would be identical: workflows/ finds out, cli/ asks",
    "command": "how a process was started: read in capture/, recorded in manifest/",
    "disclosure": "what a run uploads: listed in workflows/, printed by report/",
    "export": "a run as plain files",
    "extra_files": "files that a run used outside its source tree",
    "limits": "how much may be read or stored",
    "history_verdict": "whether W&B has what was logged: verify/ judges, report/ prints",
    "machine": "the machine: read in capture/, recorded in manifest/",
    "notebook": "a notebook and its cells",
    "packages": "the installed packages: recorded in manifest/ and recording/",
    "plan": "what a rerun will do: made in rerun/, printed by report/",
    "prediction": "whether a rerun here would be identical: verify/ judges, report/ prints",
    "project_status": "the state of a project's runs: verify/ judges, report/ prints",
    "rerun": "the command, and the workflow that it starts",
    "show": "a record as text: the command, and its report",
    "verdict": "the verdict on a rerun: verify/ judges, report/ prints",
    "weights": "the variables of a model and their digests",
}
"""What a base name means wherever it occurs. A name may occur twice only in one meaning."""

WITHOUT_TESTS = {
    "demo/train": "the demo's training script, which tests/demo runs",
    "demo/network": "the network of that script",
}


def modules() -> list[Path]:
    """Return every module of the package that holds code of its own."""
    found = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return [path for path in found if path.stem not in ("__init__", "__main__")]


def test_a_base_name_that_occurs_twice_has_one_meaning() -> None:
    count = Counter(path.stem for path in modules())
    assert {name for name, times in count.items() if times > 1} == set(SHARED_NAMES)


@pytest.mark.parametrize("path", modules(), ids=str)
def test_every_module_has_a_test_file_of_its_own_name(path: Path) -> None:
    if path.with_suffix("").as_posix() in WITHOUT_TESTS:
        return
    test = ROOT / "tests" / path.parent / f"test_{path.stem}.py"
    assert test.is_file()
    assert "def test_" in test.read_text(encoding="utf-8")
