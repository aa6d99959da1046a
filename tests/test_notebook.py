"""``python -m wandb_repro.notebook``: the name under which every version starts a notebook."""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec

import pytest

from wandb_repro.child import run_notebook


def test_run_as_a_module_it_starts_the_notebook_with_its_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(run_notebook, "main", started.append)
    monkeypatch.setattr(sys, "argv", ["notebook", "cells.json", "--x"])
    runpy.run_path(_file(), run_name="__main__")
    assert started == [["cells.json", "--x"]]


def test_imported_it_starts_nothing() -> None:
    assert runpy.run_path(_file())["main"] is run_notebook.main


def _file() -> str:
    spec = find_spec("wandb_repro.notebook")
    assert spec is not None
    return str(spec.origin)
