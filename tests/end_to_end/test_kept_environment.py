"""Reruns that share a kept environment, as whole processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.recorded import Project, begun
from wandb_repro.files import CACHE_VARIABLE
from wandb_repro.rerun.environment.cache import user_cache

TAKES = "Taking the environment of an earlier rerun"


@pytest.fixture(scope="module")
def warm(lean: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give a cache that one rerun has filled, and that rerun's verdict."""
    folder = tmp_path_factory.mktemp("warm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(folder / "cache"))
        words = ("rerun", lean.run_folder, "--env", "rebuild", "--yes", "--json")
        with begun(*words, "--dir", folder / "first", cwd=folder) as process:
            out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Installing" in err
    return folder / "cache", json.loads(out)


@pytest.mark.slow
def test_two_at_once_take_the_kept_one_and_give_the_same_verdict(
    lean: Project,
    warm: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache, first = warm
    monkeypatch.setenv(CACHE_VARIABLE, str(cache))
    (entry,) = user_cache().entries()
    assert entry.bytecode.is_dir()
    words = ("rerun", lean.run_folder, "--env", "rebuild", "--yes", "--json", "--dir")
    with (
        begun(*words, tmp_path / "one", cwd=tmp_path) as one,
        begun(*words, tmp_path / "two", cwd=tmp_path) as two,
    ):
        answers = [process.communicate(timeout=300) for process in (one, two)]
    for (out, err), name in zip(answers, ("one", "two"), strict=True):
        verdict = json.loads(out)
        assert TAKES in err
        assert "Installing" not in err
        assert "built by an earlier rerun and kept" in " ".join(err.split())
        assert verdict["grade"] == first["grade"] == "identical"
        assert verdict["environment"] == []
        assert (tmp_path / name / "env" / "bin" / "python").exists()


@pytest.mark.slow
def test_without_uv_the_kept_one_serves(
    lean: Project,
    warm: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(warm[0]))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "uv.py").write_text("raise ImportError\n")
    words = ("rerun", lean.run_folder, "--env", "rebuild", "--yes", "--until-epoch", "1")
    variables = {"PATH": os.defpath, "PYTHONPATH": str(tmp_path / "modules")}
    with begun(*words, "--dir", tmp_path / "one", cwd=tmp_path, **variables) as process:
        _, err = process.communicate(timeout=300)
    assert TAKES in err
    assert process.returncode == 0, err
