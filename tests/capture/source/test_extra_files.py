from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from wandb_repro.capture.source.extra_files import ExtraFiles, SnapshotFiles, used_files
from wandb_repro.capture.source.objects import REGULAR, Entry, blob_id
from wandb_repro.capture.source.read_extra_files import ExtraLimits
from wandb_repro.manifest.data import InputFile


@pytest.fixture(name="root")
def _root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "work" / "digits"
    root.mkdir(parents=True)
    _file(root / "train.py")
    return root


def _file(path: Path, text: str = "x = 1\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def _used(
    root: Path,
    *,
    imported: Mapping[str, str] | None = None,
    opened: Iterable[str] = (),
    excluded: frozenset[bytes] = frozenset(),
    limits: ExtraLimits | None = None,
) -> ExtraFiles:
    entries = {b"train.py": Entry(REGULAR, blob_id(b"x = 1\n"))}
    return used_files(
        SnapshotFiles(root, entries, excluded),
        imported=imported or {},
        opened=[InputFile(path=it, absolute=it, size_bytes=1) for it in opened],
        own_folders=(str(root),),
        is_as_read=lambda _: True,
        limits=limits or ExtraLimits(),
    )


def test_what_the_snapshot_has_is_not_stored_again(root: Path) -> None:
    found = _used(root, imported={str(root / "train.py"): str(root)})
    assert (found.files, found.inputs, found.edited) == ({}, (), ())


def test_a_module_outside_the_tree_is_stored_and_its_folder_searched(root: Path) -> None:
    tool = _file(root.parent / "lib" / "tool.py")
    found = _used(root, imported={tool: str(root.parent / "lib")})
    assert found.top == str(root.parent)
    assert list(found.files) == ["lib/tool.py"]
    assert found.search_folders == (str(root.parent / "lib"),)


def test_an_ignored_module_inside_the_tree_is_stored_below_the_tree(root: Path) -> None:
    local = _file(root / "settings_local.py")
    found = _used(root, imported={local: str(root)})
    assert (found.top, list(found.files)) == (str(root), ["settings_local.py"])
    assert found.search_folders == ()


def test_a_module_edited_after_the_snapshot_is_named(root: Path) -> None:
    _file(root / "train.py", "x = 2\n")
    assert _used(root, imported={str(root / "train.py"): str(root)}).edited == ("train.py",)


def test_data_from_elsewhere_is_named_and_data_of_the_project_stored(root: Path) -> None:
    own = _file(root / "ignored.csv", "1\n")
    foreign = _file(root.parent.parent / "data" / "x.csv", "1\n")
    found = _used(root, opened=[own, foreign])
    assert list(found.files) == ["ignored.csv"]
    assert [named.absolute for named in found.inputs] == [foreign]


def test_what_the_user_excluded_is_named_and_not_stored(root: Path) -> None:
    own = _file(root / "private.csv", "1\n")
    found = _used(root, opened=[own], excluded=frozenset({b"private.csv"}))
    assert found.files == {}
    (named,) = found.inputs
    assert "exclude" in named.reason


def test_a_file_beyond_the_limit_is_named_with_the_reason(root: Path) -> None:
    tool = _file(root.parent / "lib" / "tool.py")
    found = _used(root, imported={tool: ""}, limits=ExtraLimits(file_bytes=1))
    assert found.files == {}
    (named,) = found.inputs
    assert named.path == "../lib/tool.py"
    assert "the limit" in named.reason


def test_a_path_below_a_file_of_the_snapshot_cannot_be_restored(root: Path) -> None:
    files = SnapshotFiles(root, {b"data": Entry(REGULAR, blob_id(b""))})
    assert files.has_file_at(PurePosixPath("data/x.csv"))
    assert not files.has_file_at(PurePosixPath("database"))
