"""The record of the source tree: what a rerun refuses, and what older records lack."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code, GitState, LeftOut


def code_document() -> dict[str, Any]:
    return full_manifest().model_dump()["execution"]["code"]


def test_a_tree_recorded_before_extra_files_were_is_written_again_as_it_was() -> None:
    older = code_document()
    del older["added"]

    code = Code.model_validate(older)

    assert isinstance(code.added, Unavailable)
    assert "did not look for them" in str(code.added)
    assert code.model_dump() == older


def test_a_file_left_out_without_a_digest_was_not_read() -> None:
    left = LeftOut(path="big.npz", size_bytes=9, reason="larger than 20 MB")

    assert str(left.digest) == "it was not read"
    assert "digest" not in left.model_dump()


def test_a_bundle_is_kept_with_the_run_unless_said_otherwise() -> None:
    bundle = BundleFile(name="code.bundle", sha256="0" * 64, size_bytes=1)

    assert bundle.kept == "run"
    with pytest.raises(ValidationError, match="kept"):
        BundleFile.model_validate({**bundle.model_dump(), "kept": "elsewhere"})


def test_a_field_that_a_rerun_does_not_know_is_refused() -> None:
    with pytest.raises(ValidationError, match="submodules"):
        Code.model_validate({**code_document(), "submodules": []})


def test_a_field_that_only_people_read_is_kept() -> None:
    git = {**code_document()["git"], "tag": "v1"}

    assert GitState.model_validate(git).model_dump()["tag"] == "v1"
