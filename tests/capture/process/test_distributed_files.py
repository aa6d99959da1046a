from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wandb_repro.capture.process.distributed_files import DistributedFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record = tmp_path / "pkg-1.0.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text('pkg/a.py,sha256=x,3\n"odd,name/b.py",,\nsingle.py,,\n../bin/tool,,\n')
    return tmp_path


@pytest.mark.parametrize("file", ["pkg/a.py", "pkg/generated.py", "single.py"])
def test_files_below_the_names_of_a_record_belong_to_it(file: str, folder: Path) -> None:
    assert DistributedFiles().contain(str(folder / file), str(folder))


@pytest.mark.parametrize("file", ["mine.py", "tools/a.py"])
def test_other_files_do_not(file: str, folder: Path) -> None:
    assert not DistributedFiles().contain(str(folder / file), str(folder))


def test_a_record_that_cannot_be_read_lists_nothing(folder: Path) -> None:
    next(folder.glob("*/RECORD")).write_bytes(b"\xff")
    assert not DistributedFiles().contain(str(folder / "pkg/a.py"), str(folder))


def test_a_folder_is_read_once(folder: Path) -> None:
    files = DistributedFiles()
    assert files.contain(str(folder / "pkg/a.py"), str(folder))
    next(folder.glob("*/RECORD")).unlink()
    assert files.contain(str(folder / "pkg/b.py"), str(folder))


def test_a_part_of_a_compiled_module_is_found_below_the_folders_on_the_path(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(folder / "pkg" / "_C.so")  # of the module pkg._C._part, too
    assert not DistributedFiles().contain(file, "")
    monkeypatch.setattr("sys.path", [str(folder), *sys.path])
    assert DistributedFiles().contain(file, "")
