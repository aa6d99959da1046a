"""What a run used outside its snapshot: stored in a bundle, or only named."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.extra_files import ExtraFiles
from wandb_repro.capture.source.objects import tree_id
from wandb_repro.errors import CodeError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import AddedFile, BundleFile
from wandb_repro.manifest.data import InputFile
from wandb_repro.recording.extra_files import StoredExtraFiles

LARGE = InputFile(path="big.npz", absolute="/data/big.npz", size_bytes=9)


SOURCE = b"x = 1\n"


def used(**files: bytes) -> ExtraFiles:
    packed = {f"{name}.py": PackedFile(data) for name, data in files.items()}
    return ExtraFiles("/project", packed, (LARGE,), ("train.py",), ("/shared",))


def test_each_file_is_recorded_with_its_size_and_digest_and_is_in_the_bundle(
    tmp_path: Path,
) -> None:
    found = StoredExtraFiles.stored(used(a=SOURCE), tmp_path / "added.bundle", "auto", "end")

    digest = f"sha256:{hashlib.sha256(SOURCE).hexdigest()}"
    assert found.added.files == (AddedFile(path="a.py", size_bytes=6, digest=digest),)
    assert isinstance(found.added.bundle, BundleFile)
    content = (tmp_path / "added.bundle").read_bytes()
    assert found.added.bundle.sha256 == hashlib.sha256(content).hexdigest()
    assert found.added.bundle.kept == "run"


def test_what_is_only_named_is_passed_on(tmp_path: Path) -> None:
    found = StoredExtraFiles.stored(used(a=b""), tmp_path / "added.bundle", "auto", "training")

    assert (found.inputs, found.search_folders) == ((LARGE,), ("/shared",))
    assert (found.added.top, found.added.edited) == ("/project", ("train.py",))
    assert found.added.known_until == "training"


def test_without_files_there_is_no_bundle_and_an_earlier_one_is_gone(tmp_path: Path) -> None:
    bundle = tmp_path / "added.bundle"
    StoredExtraFiles.stored(used(a=b"x"), bundle, "auto", "training")

    found = StoredExtraFiles.stored(used(), bundle, "auto", "end")

    assert not bundle.exists()
    assert found.added.tree == tree_id({})
    assert str(found.added.bundle) == "nothing was used that the snapshot lacks"
    assert isinstance(found.added.bundle, Unavailable)


def test_with_code_local_the_bundle_stays_out_of_the_runs_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    place = tmp_path / "repro" / "added.bundle"
    place.parent.mkdir()

    found = StoredExtraFiles.stored(used(a=b"x"), place, "local", "end")

    assert isinstance(found.added.bundle, BundleFile)
    assert found.added.bundle.kept == "local"
    assert not place.exists()


def test_a_place_that_cannot_be_written_is_an_error_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(CodeError):
        StoredExtraFiles.stored(used(a=b"x"), tmp_path / "file" / "added.bundle", "auto", "end")
