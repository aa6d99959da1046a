"""Environments with what was built where it was installed; at a rerun nothing is built."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.environments import BASE_PYTHON, Environment, one_of
from tests.support.ground import CPYTHON, MACHINE, Ground, is_equal
from tests.support.sources import committed, make_release, make_source
from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment.compare import compare_environments
from wandb_repro.rerun.environment.lock import resolve_lock


@pytest.mark.parametrize("how", ["uv", pytest.param("pip", marks=pytest.mark.slow)])
def test_a_source_release_built_for_this_machine_comes_back(
    how: str, ground: Ground, tmp_path: Path
) -> None:
    tag = f"{CPYTHON}-{CPYTHON}-linux_{MACHINE}"
    source = make_source(tmp_path / "source", "tiny-thing", tag=tag)
    release = make_release(ground.index.folder, source)
    packages = (ground.install if how == "uv" else ground.install_by_pip)("tiny-thing")
    assert one_of(packages, "tiny-thing").origin == "index"
    release.unlink()
    is_equal(ground.rebuilt(packages))
    assert ground.prints("import tiny_thing; print(tiny_thing.X)") == "1"


@pytest.mark.slow
def test_a_source_release_that_uv_built_is_installed_by_pip_from_the_requirements(
    ground: Ground, tmp_path: Path
) -> None:
    release = make_release(ground.index.folder, make_source(tmp_path / "source", "tiny-thing"))
    packages = ground.install("tiny-thing")
    release.unlink()
    lock = resolve_lock(packages, ground.wheels, python=BASE_PYTHON)
    lock.write_requirements(tmp_path / "requirements.txt")
    new = Environment(tmp_path / "new")
    new.install_by_pip("--require-hashes", "-r", "requirements.txt", cwd=tmp_path)
    assert compare_environments(packages, new.packages().distributions) == ()


@pytest.mark.slow
def test_a_source_release_that_pip_built_is_named_and_comes_back_from_a_wheel_of_it(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip leaves no word that it built it, and at a rerun nothing is built."""
    make_release(ground.index.folder, make_source(tmp_path / "source", "tiny-thing"))
    packages = ground.install_by_pip("tiny-thing")
    with pytest.raises(RebuildError) as caught:
        resolve_lock(packages, ground.wheels, python=BASE_PYTHON)
    assert "tiny-thing==1.0 (the index has its source and no wheel" in caught.value.message
    assert "pip wheel --no-deps NAME==VERSION" in caught.value.hint
    words = ["wheel", "--isolated", "--no-cache-dir", "--no-deps", "--wheel-dir", "built"]
    index = ("--index-url", ground.index.url, "tiny-thing==1.0")
    pip = [str(BASE_PYTHON), "-m", "pip"]
    subprocess.run([*pip, *words, *index], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path / "built"))
    is_equal(ground.rebuilt(packages))


@pytest.mark.slow
def test_what_was_installed_from_a_commit_comes_back_without_its_repository(
    ground: Ground, tmp_path: Path
) -> None:
    source = make_source(tmp_path / "source", "tiny-thing")
    commit = committed(source)
    (source / "tiny_thing.py").write_text("X = 2  # not in that commit\n")
    committed_later = committed(source)
    packages = ground.install(f"tiny-thing @ git+{source.as_uri()}@{commit}")
    found = one_of(packages, "tiny-thing")
    assert found.origin_detail.endswith(f"@{commit}")
    assert commit != committed_later
    source.rename(tmp_path / "gone")
    is_equal(ground.rebuilt(packages))
    assert ground.prints("import tiny_thing; print(tiny_thing.X)") == "1"
