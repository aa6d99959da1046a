"""``python -m wandb_repro.launch``: the name under which every version starts a script."""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec

import pytest

from wandb_repro.child import run_script


def test_run_as_a_module_it_starts_the_script_with_its_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(run_script, "main", started.append)
    monkeypatch.setattr(sys, "argv", ["launch", "train.py", "--lr", "0.1"])
    runpy.run_path(_file(), run_name="__main__")
    assert started == [["train.py", "--lr", "0.1"]]


def test_imported_it_starts_nothing() -> None:
    assert runpy.run_path(_file())["main"] is run_script.main


def _file() -> str:
    spec = find_spec("wandb_repro.launch")
    assert spec is not None
    return str(spec.origin)
