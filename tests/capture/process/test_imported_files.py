from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wandb_repro.capture.process.imported_files import imported_files


def _module(name: str, file: Path | str | None) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = None if file is None else str(file)
    return module


def _file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x = 1\n")
    return path


def test_a_users_module_is_known_by_its_file_and_the_folder_it_was_found_in(tmp_path: Path) -> None:
    tool = _file(tmp_path / "lib/pkg/data/load.py")
    package = _file(tmp_path / "lib/pkg/__init__.py")
    modules = {"pkg.data.load": _module("pkg.data.load", tool), "pkg": _module("pkg", package)}
    assert imported_files(modules, None) == {
        str(tool): str(tmp_path / "lib"),
        str(package): str(tmp_path / "lib"),
    }


def test_a_script_run_as_a_module_has_its_full_name(tmp_path: Path) -> None:
    script = _file(tmp_path / "jobs/train.py")
    main: Any = _module("__main__", script)
    assert imported_files({"__main__": main}, None) == {str(script): ""}
    main.__spec__ = type("Spec", (), {"name": "jobs.train"})()
    assert imported_files({"__main__": main}, None) == {str(script): str(tmp_path)}


@pytest.mark.parametrize("file", [os.__file__, pytest.__file__, "/usr/lib/x.py", "", None])
def test_python_and_packages_are_not_the_users(file: str | None) -> None:
    assert imported_files({"m": _module("m", file)}, None) == {}


def test_a_module_whose_file_is_gone_is_left_out_and_one_in_an_archive_is_the_archive(
    tmp_path: Path,
) -> None:
    archive = _file(tmp_path / "lib.zip")
    modules = {
        "gone": _module("gone", tmp_path / "gone.py"),
        "tool": _module("tool", archive / "tool.py"),
    }
    assert list(imported_files(modules, None)) == [str(archive)]


def test_a_tree_below_site_packages_in_name_only_is_a_library(tmp_path: Path) -> None:
    file = _file(tmp_path / "env/lib/site-packages/m.py")
    assert imported_files({"m": _module("m", file)}, tmp_path) == {}


def test_a_script_in_the_temporary_folder_counts_and_what_autograph_wrote_there_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    script = _file(tmp_path / "train.py")
    generated = _file(tmp_path / "__autograph_generated_file3k_x9z1.py")
    cell = _file(tmp_path / "ipykernel_4711/2891374102.py")
    files = (script, generated, cell)
    modules = {file.stem: _module(file.stem, file) for file in files}
    assert imported_files(modules, None) == {str(script): str(tmp_path)}


def test_a_lazy_module_is_not_woken(tmp_path: Path) -> None:
    class Lazy(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked of a lazy module")

    module = Lazy("lazy")
    file = _file(tmp_path / "lazy.py")
    module.__dict__["__file__"] = str(file)
    assert imported_files({"lazy": module}, None) == {str(file): str(tmp_path)}


def test_packages_in_a_folder_on_the_path_are_not_the_users_and_modules_beside_them_are(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "extra"
    package, own = _file(folder / "pkg/__init__.py"), _file(folder / "mine.py")
    (folder / "pkg-1.0.dist-info").mkdir()
    (folder / "pkg-1.0.dist-info/RECORD").write_text("pkg/__init__.py,,\n")
    modules = {"pkg": _module("pkg", package), "mine": _module("mine", own)}
    assert imported_files(modules, None) == {str(own): str(folder)}
    # A source tree is stored whole, with the packages that somebody put there.
    assert set(imported_files(modules, folder)) == {str(package), str(own)}
