"""Environments from an index: what is there, what was yanked since, and what is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import BASE_PYTHON, Environment, make_wheel, one_of
from tests.support.ground import PLATFORM, Ground, is_equal
from tests.support.sources import make_release, make_source
from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment.lock import resolve_lock


def test_a_version_that_was_yanked_since_is_rebuilt(ground: Ground) -> None:
    """A newer one is there: yanked means that nobody gets it who does not ask for exactly it."""
    yanked = make_wheel(ground.index.folder, "tiny-thing")
    make_wheel(ground.index.folder, "tiny-thing", "2.0")
    packages = ground.install("tiny-thing==1.0")
    ground.index.yanked.add(yanked.name)
    is_equal(ground.rebuilt(packages))


@pytest.mark.slow
def test_a_version_that_is_gone_is_named_with_what_to_do(ground: Ground) -> None:
    gone = make_wheel(ground.index.folder, "tiny-thing")
    make_wheel(ground.index.folder, "tiny-thing", "2.0")
    packages = ground.install("tiny-thing==1.0")
    gone.unlink()
    error = ground.refused(packages)
    assert error.missing == ("tiny-thing==1.0",)
    assert "--env here" in error.hint
    assert "UV_INDEX" in error.hint


@pytest.mark.slow
@pytest.mark.parametrize("how", ["extra", "default"])
def test_the_password_of_an_index_is_nowhere_and_asked_of_the_users_own_settings(
    how: str, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.index.password = "Tr0ub4dor-and-3"
    make_wheel(ground.index.folder, "tiny-thing")
    make_release(ground.index.folder, make_source(tmp_path / "source", "built-thing"))
    packages = ground.install("tiny-thing", "built-thing")
    monkeypatch.setenv("UV_DEFAULT_INDEX", ground.index.open_url)
    with pytest.raises(RebuildError) as caught:
        resolve_lock(packages, ground.wheels, python=BASE_PYTHON)
    assert caught.value.missing == ("tiny-thing==1.0",)
    assert "UV_INDEX" in caught.value.hint
    monkeypatch.setenv("UV_INDEX" if how == "extra" else "UV_DEFAULT_INDEX", ground.index.url)
    lock = resolve_lock(packages, ground.wheels, python=BASE_PYTHON)
    (tmp_path / "out").mkdir()
    lock.write_pylock(tmp_path / "out" / "pylock.toml")
    lock.write_requirements(tmp_path / "out" / "requirements.txt")
    (tmp_path / "out" / "manifest.json").write_text(packages.model_dump_json())
    is_equal(ground.rebuilt(packages))
    left = [path for at in ("out", "wheels", "new") for path in (tmp_path / at).rglob("*")]
    assert len(left) > 10
    for path in left:
        if path.is_file() and not path.is_symlink():
            assert ground.index.password.encode() not in path.read_bytes(), path


@pytest.mark.parametrize(
    ("tag", "tells_hashes"),
    [
        ("py3-none-any", False),
        pytest.param("py3-none-any", True, marks=pytest.mark.slow),
        pytest.param(PLATFORM, False, marks=pytest.mark.slow),
        pytest.param(PLATFORM, True, marks=pytest.mark.slow),
    ],
)
def test_of_two_wheels_that_fit_the_recorded_one_is_installed(
    tag: str, tells_hashes: bool, ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv would take the one for this platform. Some indexes tell no hashes, or want a password."""
    ground.index.tells_hashes = tells_hashes
    ground.index.password = "" if tells_hashes else "Tr0ub4dor-and-3"
    monkeypatch.setenv("UV_DEFAULT_INDEX", ground.index.url)
    make_wheel(ground.index.folder, "tiny-thing", tags=(tag,), files={tag: "the one"})
    packages = ground.install("tiny-thing")
    assert one_of(packages, "tiny-thing").tags == (tag,)
    other = PLATFORM if tag != PLATFORM else "py3-none-any"
    make_wheel(ground.index.folder, "tiny-thing", tags=(other,), files={other: "the other"})
    is_equal(ground.rebuilt(packages))
    copy = Environment.at(ground.folder / "new").packages()
    assert one_of(copy, "tiny-thing").tags == (tag,)


@pytest.mark.slow
def test_an_environment_without_pip_is_rebuilt_without_it(ground: Ground, tmp_path: Path) -> None:
    """uv's own have none: pip is neither needed nor added."""
    make_wheel(ground.index.folder, "tiny-thing")
    packages = ground.install("tiny-thing")
    assert [each.name for each in packages.distributions] == ["tiny-thing"]
    is_equal(ground.rebuilt(packages))
    assert not (tmp_path / "new" / "bin" / "pip").exists()
