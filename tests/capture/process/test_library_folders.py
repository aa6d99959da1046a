from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from wandb_repro.capture.process.library_folders import library_folders, package_folders


def test_python_and_its_packages_are_in_library_folders() -> None:
    assert os.__file__.startswith(library_folders())
    assert f"{pytest.__file__}".startswith(library_folders())
    assert "/etc/hosts".startswith(library_folders())


def test_a_project_and_the_temporary_folder_are_in_none(tmp_path: Path) -> None:
    assert not str(tmp_path / "train.py").startswith(library_folders())
    assert not "/tmp/train.py".startswith(library_folders())
    assert not "/usable/train.py".startswith(library_folders())


def test_a_folder_is_known_by_its_real_path_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    link = str(tmp_path / "link")
    monkeypatch.setattr(sysconfig, "get_paths", lambda: dict.fromkeys(_NAMES, link))
    for folders in (library_folders(), package_folders()):
        assert f"{link}/" in folders
        assert f"{os.path.realpath(link)}/" in folders


_NAMES = ("stdlib", "platstdlib", "purelib", "platlib")


def test_package_folders_are_never_the_environment_as_a_whole() -> None:
    purelib = sysconfig.get_paths()["purelib"]
    assert f"{purelib}/" in package_folders()
    assert f"{sysconfig.get_paths()['data']}/" not in package_folders()
