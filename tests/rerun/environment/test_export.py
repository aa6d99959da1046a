"""A run as a folder of plain files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.rerun.environment import export
from wandb_repro.rerun.environment.export import Exported
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.lockfile import Lock
from wandb_repro.rerun.parts import Parts, parts_of
from wandb_repro.store.capsule import Capsule

BASE = FoundPython(Path("/usr/bin/python3.12"), "3.12.1", "3.12.1 (main)", "cpython")


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    """A record of a tree with one file, and what somebody put beside it."""
    made = Capsule(tmp_path / "repro")
    made.folder.mkdir()
    made.manifest.write_bytes(full_manifest().to_bytes())
    (made.folder / "link").symlink_to("/etc/hostname")
    (made.folder / "python").write_text("#!/bin/sh\n")
    return made


@pytest.fixture
def parts(capsule: Capsule) -> Parts:
    tree, bundle = pack_files({b"train.py": PackedFile(b"x = 1\n")}, capsule.bundle)
    return parts_of(
        changed(
            full_manifest(),
            {
                "execution.code.tree": tree,
                "execution.code.bundle": bundle.model_dump(),
                "execution.code.added": absent("nothing was used outside the tree"),
                "execution.packages.distributions": (),
            },
        )
    )


@pytest.fixture
def exported(
    capsule: Capsule, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Exported:
    """A run that was exported; no index is asked for its packages."""

    def no_packages(*_: object, **__: object) -> Lock:
        return Lock((), "3.12.1", tmp_path / "export" / "repro" / "wheels", ("a note",))

    monkeypatch.setattr(export, "resolve_lock", no_packages)
    found = Exported(tmp_path / "export")
    found.folder.mkdir()
    said: list[str] = []
    found.write(capsule, (capsule.bundle, capsule.added), parts, BASE, said.append)
    assert said[-1] == "a note"
    return found


def test_it_holds_code_record_locks_and_a_script(exported: Exported) -> None:
    names = {path.relative_to(exported.folder).as_posix() for path in exported.folder.rglob("*")}
    assert names == {
        *("code", "code/train.py"),
        *("repro", "repro/manifest.json", "repro/code.bundle", "repro/wheels"),
        *("pylock.toml", "requirements.txt", "rerun.sh"),
    }


def test_of_a_capsule_only_its_own_files_are_copied(exported: Exported) -> None:
    copied = {path.name for path in exported.capsule.folder.iterdir()}
    assert copied == {"manifest.json", "code.bundle", "wheels"}


def test_the_script_can_be_started_and_names_no_path_of_this_machine(exported: Exported) -> None:
    text = exported.script.read_text()
    assert os.access(exported.script, os.X_OK)
    assert "3.12.1" in text
    assert "@PYTHON@" not in text
    assert str(exported.folder) not in text


def test_a_folder_knows_which_run_it_holds(exported: Exported, capsule: Capsule) -> None:
    assert exported.holds(capsule)

    exported.script.unlink()
    assert not exported.holds(capsule)

    exported.script.touch()
    capsule.manifest.write_bytes(b"{}")
    assert not exported.holds(capsule)


def test_an_environment_that_is_there_is_compared_and_not_built_again(exported: Exported) -> None:
    (exported.environment / "lib" / "python3.12" / "site-packages").mkdir(parents=True)
    packages = parts_of(full_manifest()).packages
    said: list[str] = []

    prepared = exported.prepare(packages, BASE, said.append)

    assert said == ["Comparing the existing environment with the original"]
    assert {inequality.what for inequality in prepared.inequalities} == {"missing"}
