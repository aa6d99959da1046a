"""What is still read while a run goes on: the tree, the files it reads, what it used outside."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_run import FakeRun
from tests.support.records import full_manifest
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.request import Options
from wandb_repro.recording.extra_files import StoredExtraFiles
from wandb_repro.recording.mode import Recording
from wandb_repro.recording.readers import Readers
from wandb_repro.recording.seeding import Seeding
from wandb_repro.store.capsule import Capsule

EARLIER = Unavailable(unavailable="not looked for before")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "project"
    folder.mkdir()
    (folder / "train.py").write_text("import json\n")
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that nothing in this process wrote, and nothing was read before."""
    monkeypatch.setattr(OpenedFiles.of_process(), "read", {})
    monkeypatch.setattr(OpenedFiles.of_process(), "written", set[str]())
    file = tmp_path.resolve() / "data.csv"
    with unrecorded():
        file.write_text("1,2\n")
    return file


@contextmanager
def readers_of(project: Path, **options: Any) -> Generator[Readers]:
    run = FakeRun.below(project)
    capsule = Capsule(Path(run.dir) / "repro")
    capsule.folder.mkdir()
    host = FakeHost(started_in=str(project), command_line=("python", "train.py"))
    seeding = Seeding(5, asked=5, deterministic=None, drawn=False)
    readers = Readers(
        run, host, seeding, capsule=capsule, options=Options(**options), mode=Recording()
    )
    try:
        yield readers
    finally:
        readers.close()


def stored_outside(readers: Readers) -> StoredExtraFiles:
    found = readers.extra_files(EARLIER, "end")
    assert isinstance(found, StoredExtraFiles)
    return found


def test_the_bundle_is_made_in_the_background_and_awaited(project: Path) -> None:
    with readers_of(project) as readers:
        assert isinstance(readers.code, Code)
        assert isinstance(readers.code.bundle, Unavailable)
        readers.settle()

        assert not isinstance(readers.code.bundle, Unavailable)
        assert (readers.code.files, readers.root) == (1, project)


def test_without_a_snapshot_the_reason_is_the_record_and_nothing_is_looked_for(
    project: Path,
) -> None:
    with readers_of(project, code="off") as readers:
        readers.settle()

        assert isinstance(readers.code, Unavailable)
        assert readers.root is None
        assert readers.extra_files(EARLIER, "end") is EARLIER
        assert readers.with_extra_files(readers.code, EARLIER) is readers.code


def test_a_file_that_was_read_is_an_input_and_the_snapshots_own_are_not(
    project: Path, data: Path, tmp_path: Path
) -> None:
    with readers_of(project) as readers:
        for path in (data, project / "train.py"):
            path.read_text()
        with unrecorded():
            (tmp_path / "ours.txt").write_text("")
            (tmp_path / "ours.txt").read_text()

        assert [one.absolute for one in readers.input_files()] == [str(data)]


def test_a_file_that_was_read_outside_the_snapshot_is_stored_or_named(
    project: Path, data: Path
) -> None:
    with readers_of(project) as readers:
        data.read_text()
        found = stored_outside(readers)

    names = [file.path for file in found.added.files] + [one.absolute for one in found.inputs]
    assert [name.rpartition("/")[2] for name in names] == ["data.csv"]
    assert found.added.known_until == "end"


def test_a_search_that_fails_later_leaves_what_was_known(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with readers_of(project) as readers:
        known = stored_outside(readers)
        monkeypatch.setattr("wandb_repro.recording.readers.used_files", refuse)

        assert readers.extra_files(known, "end") is known
        assert "No space left" in str(readers.extra_files(EARLIER, "end"))


def test_a_file_stored_beside_the_snapshot_is_no_longer_left_out(project: Path) -> None:
    recorded = full_manifest().execution.code
    assert isinstance(recorded, Code)
    left_out = tuple(
        recorded.left_out[0].model_copy(update={"path": path})
        for path in ("local.yaml", "data/big.npz")
    )
    code = recorded.model_copy(update={"left_out": left_out})
    with readers_of(project) as readers:
        assert not isinstance(code.added, Unavailable)
        found = StoredExtraFiles(code.added, (), ())

        merged = readers.with_extra_files(code, found)
        unknown = readers.with_extra_files(code, EARLIER)

    assert isinstance(merged, Code)
    assert isinstance(unknown, Code)
    assert [left.path for left in merged.left_out] == ["data/big.npz"]
    assert (unknown.added, unknown.left_out) == (EARLIER, left_out)


def test_only_the_command_of_a_notebook_gets_cells(project: Path) -> None:
    script = full_manifest().execution.command
    assert isinstance(script, Command)
    notebook = script.model_copy(update={"kind": "notebook"})
    with readers_of(project) as readers:
        assert readers.with_cells(script) is script
        assert readers.with_cells(EARLIER) is EARLIER
        found = readers.with_cells(notebook)
        assert not readers.is_notebook

    assert isinstance(found, Command)
    assert isinstance(found.cells, Unavailable)
