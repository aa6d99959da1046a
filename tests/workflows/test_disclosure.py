"""What of a run leaves the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.report.disclosure import Uploads
from wandb_repro.store.capsule import Capsule
from wandb_repro.workflows.disclosure import uploads_of

KEY = "AKIA" + "Z7Q2XW9EUT5LKMN3"


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    """A record in a run's folder, beside W&B's own files."""
    folder = tmp_path / "run-1-abc" / "files" / "repro"
    (folder / "wheels").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"{}")
    (folder / "wheels" / "own.whl").write_bytes(b"123")
    (folder.parent / "output.log").write_text("epoch 1\n")
    return Capsule(folder)


def without_code(**changes: object) -> Manifest:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return changed(full_manifest(), {"execution.code": absent("code=off"), **named})


def found(capsule: Capsule, manifest: Manifest | None = None, *, remote: bool = False) -> Uploads:
    return uploads_of(capsule, manifest or without_code(), remote=remote)


def test_our_files_and_theirs_are_listed_apart_with_their_sizes(capsule: Capsule) -> None:
    uploads = found(capsule)

    assert uploads.ours == {"manifest.json": 2, "wheels/own.whl": 3}
    assert uploads.theirs == {"files/output.log": 8}


def test_of_a_downloaded_record_only_ours_are_known(capsule: Capsule) -> None:
    uploads = found(capsule, without_code(run__offline=True), remote=True)

    assert (uploads.theirs, uploads.offline) == ({}, False)


def test_a_tree_that_was_not_stored_does_not_leave(capsule: Capsule) -> None:
    assert found(capsule).source == "not uploaded: code=off"


def test_a_committed_key_is_named_by_its_file(capsule: Capsule) -> None:
    files = {b"cloud.py": PackedFile(f"KEY = '{KEY}'\n".encode())}
    tree, bundle = pack_files(files, capsule.bundle)
    manifest = changed(
        full_manifest(),
        {"execution.code.tree": tree, "execution.code.bundle": bundle.model_dump()},
    )

    (warning, *_) = found(capsule, manifest).warnings

    assert warning[0].startswith("cloud.py is committed and so in the source tree, and ")
    assert KEY not in warning[0]


def test_a_credential_in_the_config_and_in_wandbs_own_files_is_named(capsule: Capsule) -> None:
    (capsule.folder.parent / "output.log").write_text(f"using {KEY}\n")
    manifest = without_code(execution__config={"api_key": "s3cr3t-s3cr3t", "lr": 0.1})

    told = [sentence for sentence, _ in found(capsule, manifest).warnings]

    assert "config.api_key looks like a credential" in told
    assert any(sentence.startswith("W&B's file output.log: ") for sentence in told)


def test_a_link_in_the_record_is_not_followed(capsule: Capsule, tmp_path: Path) -> None:
    (tmp_path / "private").write_bytes(b"x" * 1000)
    (capsule.folder / "link").symlink_to(tmp_path / "private")

    assert found(capsule).ours["link"] < 1000


@pytest.mark.timeout(20)  # without a writer, a pipe is opened for ever
def test_a_pipe_in_the_place_of_the_log_of_w_and_b_is_passed_over(capsule: Capsule) -> None:
    os.mkfifo(capsule.folder.parent.parent / "run-abc.wandb")
    manifest = without_code(execution__command__redacted=(0,))
    assert not any("whole command line" in it for it, _ in found(capsule, manifest).warnings)
