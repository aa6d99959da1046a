"""What packages ask for on another Python than the recorded one, and lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import full_manifest
from wandb_repro.manifest.packages import Interpreter, Packages
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.unmet_requirements import unmet_requirements


def installed(folder: Path, name: str, *requires: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {it}" for it in requires)]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines]) + "\n\n")


@pytest.fixture
def wanted() -> Interpreter:
    packages = full_manifest().execution.packages
    assert isinstance(packages, Packages)
    return packages.interpreter.model_copy(update={"version": "3.11.4"})


def unmet(folder: Path, wanted: Interpreter) -> list[str]:
    base = FoundPython(Path("/usr/bin/python3.10"), "3.10.2", "3.10.2 (main)", "cpython")
    return list(unmet_requirements(folder, wanted, base))


def test_what_only_this_python_needs_and_lacks_is_named(
    tmp_path: Path, wanted: Interpreter
) -> None:
    installed(tmp_path, "trainer", 'tomli; python_version < "3.11"')

    assert unmet(tmp_path, wanted) == [
        "trainer requires tomli on Python 3.10.2, and it was not recorded."
    ]


def test_what_is_there_is_not_named(tmp_path: Path, wanted: Interpreter) -> None:
    installed(tmp_path, "trainer", 'tomli; python_version < "3.11"')
    installed(tmp_path, "tomli")

    assert unmet(tmp_path, wanted) == []


def test_what_was_lacking_on_the_recorded_python_too_is_passed_over(
    tmp_path: Path, wanted: Interpreter
) -> None:
    installed(tmp_path, "trainer", "absent", 'other; python_version >= "3.11"')

    assert unmet(tmp_path, wanted) == []
