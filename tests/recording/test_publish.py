from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from wandb_repro.recording.publish import GivenFiles
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule


class Saving:
    """A run that notes which files it is given, as names and policies."""

    def __init__(self, folder: Path) -> None:
        self.dir = str(folder)
        self.saved: list[tuple[str, str]] = []

    def save(self, glob_str: str, base_path: str, policy: str) -> None:
        """Note it."""
        assert base_path == self.dir
        self.saved.append((Path(glob_str).relative_to(base_path).as_posix(), policy))

    def given_since(self) -> list[tuple[str, str]]:
        """Return what was given since it was last asked."""
        found, self.saved = self.saved, []
        return found


@pytest.fixture
def run(tmp_path: Path) -> Saving:
    return Saving(tmp_path)


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    capsule = Capsule(tmp_path / "repro")
    capsule.wheels.mkdir(parents=True)
    (capsule.wheels / "json-1.0-py3-none-any.whl").write_bytes(b"wheel")
    for path in (capsule.manifest, capsule.trail, capsule.bundle):
        path.write_text("begun")
    return capsule


def test_a_file_is_given_once_while_it_stays_as_it_is(run: Saving, capsule: Capsule) -> None:
    files = GivenFiles(cast("Run", cast("Any", run)), capsule)
    (capsule.folder / ".manifest.json.7.tmp").write_text("being written")

    files.give_manifest()
    assert run.given_since() == [("repro/manifest.json", "now")]

    files.give_all()
    assert run.given_since() == [
        ("repro/code.bundle", "now"),
        ("repro/trail.jsonl", "now"),
        ("repro/wheels/json-1.0-py3-none-any.whl", "now"),
    ]

    capsule.trail.write_text("begun and ended")
    files.give_all()
    assert run.given_since() == [("repro/trail.jsonl", "now")]


def test_what_wandb_takes_when_the_run_ends_is_not_given_again(
    run: Saving, capsule: Capsule
) -> None:
    files = GivenFiles(cast("Run", cast("Any", run)), capsule)
    files.give_all()
    run.given_since()

    files.await_end()
    assert run.given_since() == [("repro/*.[jh]*", "end")]

    for path in (capsule.manifest, capsule.trail, capsule.bundle, capsule.cells, capsule.report):
        path.write_text("written later")
    files.give_all()
    assert run.given_since() == [
        ("repro/cells.json", "now"),
        ("repro/code.bundle", "now"),
        ("repro/report.html", "now"),
    ]
