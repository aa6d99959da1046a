"""Secrets that were committed, found in a bundle without checking it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.errors import CodeError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.rerun.bundle_secrets import secrets_in_bundle

KEY = b"AKIA" + b"Z7Q2XW9EUT5LKMN3"


def packed(path: Path, files: dict[bytes, bytes]) -> Code:
    tree, bundle = pack_files({name: PackedFile(data) for name, data in files.items()}, path)
    git = Unavailable(unavailable="none")
    return Code(root="/", tree=tree, files=len(files), bundle=bundle, git=git)


def test_a_file_with_a_key_is_named_and_the_key_is_not(tmp_path: Path) -> None:
    path = tmp_path / "code.bundle"
    code = packed(path, {b"train.py": b"x = 1\n", b"aws/cloud.py": b"KEY = '" + KEY + b"'\n"})

    found = secrets_in_bundle(path, code)

    assert list(found) == ["aws/cloud.py"]
    assert KEY.decode() not in found["aws/cloud.py"]


def test_a_bundle_without_secrets_has_none(tmp_path: Path) -> None:
    path = tmp_path / "code.bundle"

    assert secrets_in_bundle(path, packed(path, {b"train.py": b"x = 1\n"})) == {}


def test_another_bundle_than_the_recorded_one_is_not_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "code.bundle"
    code = packed(path, {b"train.py": b"x = 1\n"})
    packed(path, {b"train.py": b"x = 2\n"})

    with pytest.raises(CodeError, match="not the bundle that was recorded"):
        secrets_in_bundle(path, code)
