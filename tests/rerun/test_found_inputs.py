"""What is on this disk of what the original read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.data_records import files_like, record_of_data
from tests.support.records import changed, full_manifest
from wandb_repro.files import sha256_of_bytes
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.found_inputs import (
    FoundInputs,
    changed_file,
    find_files,
    find_inputs,
)
from wandb_repro.rerun.looking import Looking
from wandb_repro.rerun.parts import parts_of


def recorded(path: Path | str, content: bytes | None = b"1.5") -> InputFile:
    """Return the record of a file that had this content; None: it was not read by us."""
    unread = Unavailable(unavailable="not read")
    return InputFile(
        path=str(path),
        absolute=str(path),
        size_bytes=unread if content is None else len(content),
        digest=unread if content is None else f"sha256:{sha256_of_bytes(content)}",
    )


def found(*files: InputFile) -> FoundInputs:
    manifest: Manifest = changed(
        full_manifest(), {"description.inputs": [file.model_dump() for file in files]}
    )
    return find_inputs(manifest, parts_of(manifest).code, {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.csv"
    path.write_bytes(b"1.5")
    return path


def test_a_file_as_it_was_is_neither_missing_nor_changed(file: Path) -> None:
    assert found(recorded(file)) == FoundInputs(found().data)


def test_a_file_that_is_gone_is_missing_and_not_changed(file: Path) -> None:
    file.unlink()
    here = found(recorded(file))
    assert (here.missing, dict(here.changed)) == ((str(file),), {})


@pytest.mark.parametrize("now", [b"2.5", b"1.50"], ids=["other bytes", "another size"])
def test_a_file_with_other_content_is_changed(now: bytes, file: Path) -> None:
    file.write_bytes(now)
    here = found(recorded(file))
    assert (here.missing, list(here.changed)) == ((), [str(file)])


def test_a_file_whose_content_was_not_recorded_is_not_called_changed(file: Path) -> None:
    assert found(recorded(file, None)).changed == {}


def test_a_relative_path_of_a_record_is_not_looked_for_where_we_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_bytes(b"other")
    assert changed_file(recorded("x.csv"), Looking())
    assert found(recorded("x.csv")).changed == {}


def test_a_file_of_fingerprinted_data_is_compared_with_its_data_only(file: Path) -> None:
    manifest = record_of_data(files_like(file.parent, str(file.parent)))
    gone = recorded(file.parent / "gone.csv")
    manifest = manifest.model_copy(
        update={"description": manifest.description.model_copy(update={"inputs": (gone,)})}
    )
    here = find_inputs(manifest, parts_of(manifest).code, {})
    assert here.missing == ()
    assert [source.state for source in here.data.found] == ["same"]


def test_a_pipe_in_the_place_of_a_file_is_left_to_the_script(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x")
    assert changed_file(recorded(tmp_path / "x"), Looking()) == ""


def test_what_is_too_much_to_read_is_compared_by_size_only(file: Path) -> None:
    file.write_bytes(b"2.5")
    assert changed_file(recorded(file), Looking(most_bytes=2)) == ""
    assert changed_file(recorded(file), Looking(most_bytes=4)) != ""
    file.write_bytes(b"2.50")
    assert changed_file(recorded(file), Looking(most_bytes=2)) != ""


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/passwd", "/usr/bin/env", "/srv/.ssh/id_rsa"])
def test_a_record_chooses_no_path_of_the_system_or_of_settings(path: str) -> None:
    here = found(recorded(path))
    assert (here.not_looked_at, here.missing, here.changed) == ((path,), (), {})


def test_after_too_much_data_nothing_more_is_looked_at(file: Path) -> None:
    files = [recorded(file, b"1.5"), recorded(file.parent / "gone")]
    here = find_files(files, "/srv", Looking(most_bytes=3))
    assert (here.missing, here.not_looked_at) == ((), (files[1].absolute,))
    assert find_files(files, "/srv", Looking(seconds=0)).not_looked_at == (
        str(file),
        files[1].absolute,
    )
