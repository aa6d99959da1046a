"""Awaiting a module's import, on modules made for it."""

from __future__ import annotations

import importlib
import random
import sys
from collections.abc import Generator
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import forget
from wandb_repro.recording.process_state import process


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Put modules on the path that draw random numbers while they are imported, or fail."""
    (tmp_path / "awaited_plain.py").write_text("import random; drawn = random.random()\n")
    (tmp_path / "awaited_broken.py").write_text("raise ImportError('no such library')\n")
    package = tmp_path / "awaited_package"
    package.mkdir()
    (package / "__init__.py").write_text("done = True\n")
    (package / "inner.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = list(sys.meta_path)
    # The process has one watch, and other tests may await a library that is not installed.
    monkeypatch.setattr(process, "import_actions", {})
    ours = "wandb_repro.recording.import_hooks"
    sys.meta_path[:] = [finder for finder in before if type(finder).__module__ != ours]
    forget()
    yield
    sys.meta_path[:] = before
    for name in [name for name in sys.modules if name.startswith("awaited_")]:
        del sys.modules[name]


def test_the_action_comes_right_after_the_import_and_sees_the_whole_module() -> None:
    seen: list[object] = []
    assert not after_import("awaited_package", lambda module: seen.append(module.done))
    assert seen == []
    importlib.import_module("awaited_package.inner")
    assert seen == [True]


def test_for_a_module_that_is_there_the_action_comes_at_once() -> None:
    importlib.import_module("awaited_plain")
    seen: list[str] = []
    assert after_import("awaited_plain", lambda module: seen.append(module.__name__))
    assert seen == ["awaited_plain"]


def test_several_actions_come_in_the_order_they_were_given() -> None:
    seen: list[int] = []
    for number in range(3):
        after_import("awaited_plain", lambda _, number=number: seen.append(number))
    importlib.import_module("awaited_plain")
    assert seen == [0, 1, 2]


def test_looking_for_a_module_without_importing_it_ends_no_waiting() -> None:
    seen: list[ModuleType] = []
    after_import("awaited_plain", seen.append)
    assert find_spec("awaited_plain") is not None
    assert seen == []
    importlib.import_module("awaited_plain")
    assert len(seen) == 1


def test_when_nothing_is_awaited_any_more_the_path_of_finders_is_as_before() -> None:
    before = list(sys.meta_path)
    after_import("awaited_plain", lambda _: None)
    assert sys.meta_path != before
    importlib.import_module("awaited_plain")
    assert sys.meta_path == before
    loader = sys.modules["awaited_plain"].__loader__
    assert type(loader) is SourceFileLoader


def test_an_import_that_fails_fails_as_ever_and_is_awaited_on() -> None:
    seen: list[ModuleType] = []
    after_import("awaited_broken", seen.append)
    for _ in range(2):
        with pytest.raises(ImportError, match="no such library"):
            importlib.import_module("awaited_broken")
    assert seen == []


@pytest.mark.usefixtures("lenient")
def test_an_action_that_fails_is_told_of_and_the_import_goes_on(
    capfd: pytest.CaptureFixture[str],
) -> None:
    after_import("awaited_plain", lambda module: module.nothing)
    assert importlib.import_module("awaited_plain").drawn >= 0
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "setting up awaited_plain: AttributeError" in told


def test_an_awaited_import_takes_nothing_from_pythons_random_numbers() -> None:
    random.seed(3)
    expected = random.random()  # noqa: S311 - what is under test
    random.seed(3)
    after_import("awaited_plain", lambda _: None)
    importlib.import_module("awaited_plain")
    assert random.random() == expected  # noqa: S311 - what is under test
