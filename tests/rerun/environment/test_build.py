from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import (
    BASE_PYTHON,
    Environment,
    make_project,
    make_wheel,
    use_folder_as_index,
)
from tests.support.pythons import without_shims
from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment import build as environment_module
from wandb_repro.rerun.environment.build import Rebuilt, rebuild
from wandb_repro.rerun.environment.lock import resolve_lock
from wandb_repro.rerun.environment.lockfile import Lock


@pytest.fixture(autouse=True)
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", without_shims(os.environ.get("PATH", "")))
    return use_folder_as_index(tmp_path / "links", monkeypatch)


def _silent(_: str) -> None:
    return None


def _rebuilt(packages: Packages, tmp_path: Path, python: Path | None = None) -> Rebuilt:
    return rebuild(
        packages, tmp_path / "wheels", tmp_path / "new", python=python, on_progress=_silent
    )


def _from_links(tmp_path: Path, links: Path, *names: str) -> Environment:
    return Environment(tmp_path / "env").install("--no-index", "--find-links", str(links), *names)


def test_every_kind_of_install_is_rebuilt_equal(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "from-index")
    project = make_project(tmp_path / "project", "in-place", files={"src/in_place/a.py": "A = 1"})
    given = make_wheel(tmp_path / "given", "by-path")
    environment = _from_links(tmp_path, links, "from-index").install(str(given))
    environment.install("--editable", str(project))
    packages = environment.packages(tmp_path / "wheels")
    steps: list[str] = []
    rebuilt = rebuild(packages, tmp_path / "wheels", tmp_path / "new", on_progress=steps.append)
    assert rebuilt.inequalities == ()
    assert rebuilt.notes == ()
    assert len(steps) == 3
    again = Environment.at(tmp_path / "new")
    assert again.python == rebuilt.python
    assert str(tmp_path / "new") in again.run("import in_place.a; print(in_place.__file__)")


def test_nothing_that_is_installed_starts_before_it_is_asked_to(
    tmp_path: Path, links: Path
) -> None:
    sentinel = tmp_path / "ran"
    hook = f"import pathlib; pathlib.Path({str(sentinel)!r}).touch()\n"
    make_wheel(links, "from-index", files={"hook.pth": hook})
    recorded = _from_links(tmp_path, links, "from-index").packages()
    sentinel.unlink(missing_ok=True)
    rebuilt = _rebuilt(recorded, tmp_path)
    assert rebuilt.inequalities == ()
    assert not sentinel.exists()
    Environment.at(tmp_path / "new").run("pass")
    assert sentinel.exists()


def test_byte_code_is_not_compiled_even_where_the_user_always_does(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(links, "from-index")
    monkeypatch.setenv("UV_COMPILE_BYTECODE", "1")
    _rebuilt(_from_links(tmp_path, links, "from-index").packages(), tmp_path)
    assert not list(Environment.at(tmp_path / "new").site_packages.glob("__pycache__"))


def test_other_bytes_under_the_same_name_are_seen(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    make_wheel(links, "from-index", files={"more.py": ""})
    (inequality,) = _rebuilt(packages, tmp_path).inequalities
    assert (inequality.name, inequality.what) == ("from-index", "content")


def test_a_wheel_that_is_not_what_was_locked_is_refused(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()

    def tampered(packages: Packages, wheels: Path, *, python: Path, **more: Any) -> Lock:
        lock = resolve_lock(packages, wheels, python=python, **more)
        (package,) = lock.packages
        wheel = replace(package.wheels[0], sha256="0" * 64)
        return replace(lock, packages=(replace(package, wheels=(wheel,)),))

    monkeypatch.setattr(environment_module, "resolve_lock", tampered)
    with pytest.raises(RebuildError) as caught:
        _rebuilt(packages, tmp_path)
    assert "from-index" in caught.value.message
    assert not list(tmp_path.glob("*new*"))


def test_a_package_without_record_cannot_be_told_to_be_equal(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "from-index")
    environment = _from_links(tmp_path, links, "from-index")
    next(environment.site_packages.glob("*.dist-info/RECORD")).unlink()
    (inequality,) = _rebuilt(environment.packages(), tmp_path).inequalities
    assert (inequality.name, inequality.what) == ("from-index", "unknown")


def test_what_is_gone_is_named_and_nothing_is_made(tmp_path: Path, links: Path) -> None:
    wheel = make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    wheel.unlink()
    with pytest.raises(RebuildError) as caught:
        _rebuilt(packages, tmp_path)
    assert caught.value.missing == ("from-index==1.0",)
    assert not (tmp_path / "new").exists()


def test_without_uv_the_extra_is_named(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(RebuildError) as caught:
        _rebuilt(packages, tmp_path)
    assert "pip install 'wandb-repro[rerun]'" in caught.value.hint


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine.txt").touch()
    with pytest.raises(RebuildError):
        _rebuilt(packages, tmp_path)
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["mine.txt"]


def test_an_interpreter_named_by_the_user_stands_in_with_a_note(
    tmp_path: Path, links: Path
) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    other = packages.interpreter.model_copy(update={"version": "3.7.99"})
    changed = packages.model_copy(update={"interpreter": other})
    assert "3.7.99" in _rebuilt(changed, tmp_path, BASE_PYTHON).notes[0]


def test_another_build_of_the_interpreter_is_a_note(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "from-index")
    packages = _from_links(tmp_path, links, "from-index").packages()
    other = packages.interpreter.model_copy(update={"build": "3.x (distribution)"})
    changed = packages.model_copy(update={"interpreter": other})
    assert "another build" in _rebuilt(changed, tmp_path).notes[0]
