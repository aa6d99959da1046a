"""Every state that code can be in: recorded, moved away, rerun from the capsule alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.code_states import CODE_STATES, Made
from tests.support.recorded import Ask, Project
from wandb_repro.store.capsule import Capsule

TELLING = ("untracked folder",)
"""The demo tells of another one. The rest take minutes together, and are restored byte for byte
by ``tests/capture/source/test_snapshot.py`` and ``tests/rerun/test_restore.py`` all the same."""

STATES = [
    pytest.param(make, id=name, marks=[] if name in TELLING else [pytest.mark.slow])
    for name, make in CODE_STATES.items()
]


@pytest.mark.parametrize("make", STATES)
def test_a_rerun_from_the_capsule_alone_is_identical(
    make: Callable[[Path], Made], tmp_path: Path, ask: Ask
) -> None:
    original = tmp_path / "original"
    original.mkdir()
    capsule = _recorded(make(original), tmp_path / "capsule")
    original.rename(tmp_path / "away")
    (tmp_path / "elsewhere").mkdir()

    answer = ask("rerun", capsule.folder, "--env", "here", "--yes", cwd=tmp_path / "elsewhere")

    assert answer.code == 0, answer.err
    assert answer.text.startswith("identical bit for bit")


def _recorded(made: Made, capsule: Path) -> Capsule:
    """Record a training in a state that holds what the state is about; return a copy of it."""
    project = Project(made.folder)
    assert project.record(made.script, cwd=made.cwd).returncode == 0
    for _, shapes in project.trail.with_shapes():
        assert [leaf.shape for leaf in shapes] == [(4,)]
    shutil.copytree(project.capsule.folder, capsule)
    return Capsule(capsule)
