"""The runs of a folder that W&B writes to, the newest first."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.errors import NotFoundError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.project import local_runs, read_project


def run(folder: Path, name: str, *, recorded: bool = True) -> Path:
    capsule = folder / name / "files" / "repro"
    capsule.mkdir(parents=True)
    if recorded:
        (capsule / "manifest.json").touch()
    return capsule


def test_runs_come_the_newest_first_offline_or_not(tmp_path: Path) -> None:
    for name in ("run-20240102_000000-b", "offline-run-20240103_000000-c", "run-20240101_000000-a"):
        run(tmp_path, name)

    found = list(local_runs(tmp_path))

    assert [it.run.path[-1] for it in found] == ["c", "b", "a"]
    assert {it.total for it in found} == {3}


def test_a_run_knows_whether_it_was_recorded_by_us(tmp_path: Path) -> None:
    capsule = run(tmp_path, "run-2-ours")
    run(tmp_path, "run-1-theirs", recorded=False)

    ours, theirs = (it.run for it in local_runs(tmp_path))

    assert (ours.recorded, ours.capsule) == (True, Capsule(capsule))
    assert not theirs.recorded
    assert isinstance(theirs.capsule, Unavailable)


def test_what_is_no_run_of_this_folder_is_passed_over(tmp_path: Path) -> None:
    run(tmp_path / "elsewhere", "run-1-x")
    wandb = tmp_path / "wandb"
    run(wandb, "run-1-a")
    (wandb / "latest-run").symlink_to("run-1-a")
    (wandb / "run-2-link").symlink_to(tmp_path / "elsewhere" / "run-1-x")
    (wandb / "run-3-file").touch()
    (wandb / "logs").mkdir()

    assert [it.run.path for it in local_runs(wandb)] == ["run-1-a"]


def test_a_folder_without_runs_and_no_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No run of W&B is in"):
        list(local_runs(tmp_path))
    with pytest.raises(NotFoundError, match="There is no folder"):
        list(local_runs(tmp_path / "gone"))


def test_what_is_no_project_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_project("a/b/c/d/e", tmp_path, 10, print)
    assert list(tmp_path.iterdir()) == []
