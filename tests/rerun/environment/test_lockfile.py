"""A lock as ``requirements.txt`` and as ``pylock.toml``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment.lockfile import Lock, LockedPackage, LockedWheel, extra_missing

INDEX = LockedWheel("a-1.0-py3-none-any.whl", "11" * 32, 10, "https://index.example/a.whl")
OWN = LockedWheel("own-2.0+local-py3-none-any.whl", "22" * 32, 20)


def lock(wheels: Path, *packages: LockedPackage) -> Lock:
    return Lock(packages, "3.12.1", wheels)


BOTH = (LockedPackage("a", "1.0", (INDEX,)), LockedPackage("own", "2.0+local", (OWN,)))


def test_requirements_name_a_version_or_a_file_and_its_hash() -> None:
    assert lock(Path("/w"), *BOTH).requirements("./wheels").splitlines() == [
        f"a==1.0 --hash=sha256:{'11' * 32}",
        f"./wheels/own-2.0+local-py3-none-any.whl --hash=sha256:{'22' * 32}",
    ]


def test_a_folder_that_is_an_address_is_written_as_one() -> None:
    (line,) = lock(Path("/w"), BOTH[1]).requirements("file:///w").splitlines()
    assert line.startswith("own @ file:///w/own-2.0%2Blocal-py3-none-any.whl --hash=")


def test_a_package_is_named_by_its_address_only_where_that_is_safe() -> None:
    def line(*wheels: LockedWheel) -> str:
        made = lock(Path("/w"), LockedPackage("a", "1.0", wheels))
        return made.requirements("./wheels", by_address=True).split(" --hash")[0]

    assert line(INDEX) == "a @ https://index.example/a.whl"
    assert line(INDEX, INDEX) == "a==1.0"
    hostile = LockedWheel(INDEX.name, INDEX.sha256, 10, "https://index.example/a.whl\n--index x")
    assert line(hostile) == "a==1.0"


def test_every_wheel_of_a_package_may_be_installed() -> None:
    second = LockedWheel("a-1.0-cp312.whl", "33" * 32, None, "https://index.example/b.whl")
    text = lock(Path("/w"), LockedPackage("a", "1.0", (INDEX, second))).requirements("./wheels")
    assert text.count("--hash=sha256:") == 2


def test_paths_in_the_written_files_are_relative_to_them(tmp_path: Path) -> None:
    made = lock(tmp_path / "repro" / "wheels", *BOTH)
    made.write_requirements(tmp_path / "requirements.txt")
    made.write_pylock(tmp_path / "pylock.toml")

    assert "./repro/wheels/own-2.0" in (tmp_path / "requirements.txt").read_text()
    text = (tmp_path / "pylock.toml").read_text()
    assert 'path = "repro/wheels/own-2.0+local-py3-none-any.whl"' in text
    assert 'requires-python = "==3.12.*"' in text
    assert 'url = "https://index.example/a.whl"' in text


def test_without_the_extra_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tomli_w", None)

    with pytest.raises(RebuildError) as caught:
        lock(tmp_path, *BOTH).write_pylock(tmp_path / "pylock.toml")

    assert caught.value.message == extra_missing("tomli-w").message
    assert "wandb-repro[rerun]" in caught.value.hint
