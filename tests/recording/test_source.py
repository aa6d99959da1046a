"""The source tree of a run: recorded at once, bundled later, restored in a rerun."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.fake_host import FakeHost
from tests.support.planted import KINDS
from tests.support.records import full_manifest, rerun_request
from tests.support.repositories import Repository, repository
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.errors import CodeError
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, BundleFile, Code, GitState
from wandb_repro.manifest.request import Options
from wandb_repro.recording.source import (
    Source,
    recorded_source,
    restored_source,
    stored,
    why_no_code,
)
from wandb_repro.store.capsule import Capsule

PATIENCE_S = 60.0


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    """An empty capsule."""
    folder = tmp_path / "capsule"
    folder.mkdir()
    return Capsule(folder)


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """A repository with one commit, and a file that is not committed."""
    made = repository(tmp_path / "project")
    made.write("network.py", "layers = 2\n")
    return made


def run_in(folder: Path, **settings: Any) -> Any:
    """Return a W&B run in an offline folder of its own."""
    return SimpleNamespace(
        dir=str(folder / "wandb" / "offline-run-1" / "files"), settings=SimpleNamespace(**settings)
    )


def recorded(
    project: Repository, capsule: Capsule, code: str = "upload", **settings: Any
) -> Source:
    return recorded_source(
        run_in(project.path.parent, **settings),
        FakeHost(started_in=str(project.path)),
        options=Options(code=code),
        capsule=capsule,
    )


def code_of(source: Source) -> Code:
    assert isinstance(source.code, Code), source.code
    return source.code


def test_the_tree_is_known_before_its_bundle_and_git_state(
    project: Repository, capsule: Capsule
) -> None:
    source = recorded(project, capsule)
    early = code_of(source)
    assert source.paths == {"train.py", "network.py"}
    assert (source.root, early.files) == (project.path, 2)
    assert str(early.bundle) == "the bundle was still being written"
    assert isinstance(early.git, Unavailable)
    source.settle(PATIENCE_S)
    source.close()


def test_a_settled_tree_has_its_bundle_git_state_and_diff(
    project: Repository, capsule: Capsule
) -> None:
    source = recorded(project, capsule)
    source.settle(PATIENCE_S)
    code = code_of(source)
    assert isinstance(code.bundle, BundleFile)
    assert code.bundle.sha256 == sha256_of_file(capsule.bundle)
    assert isinstance(code.git, GitState)
    assert code.git.commit == project.git("rev-parse", "HEAD")
    assert "+layers = 2" in capsule.changes.read_text()
    source.close()


def test_a_committed_secret_is_named_with_the_setting_that_stores_it(
    project: Repository, capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("wandb_repro.recording.source.warn_once", said.append)
    planted = KINDS["a Stripe key"]
    project.write(planted.file, planted.content)
    project.commit()
    source = recorded(project, capsule)
    source.settle(PATIENCE_S)
    (line,) = said
    assert f"looks like a secret: {planted.file} (" in line
    assert "not_secret in [tool.wandb_repro]" in line


def test_a_tree_that_could_not_be_searched_is_not_stored(
    project: Repository, capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Snapshot) -> Snapshot:
        raise CodeError("git is gone")

    said: list[str] = []
    monkeypatch.setattr("wandb_repro.recording.source.warn_once", said.append)
    monkeypatch.setattr("wandb_repro.recording.source.without_committed_secrets", fails)
    source = recorded(project, capsule)
    source.settle(PATIENCE_S)
    assert isinstance(code_of(source).bundle, Unavailable)
    assert not capsule.bundle.exists()
    assert any(line.startswith("the source tree is not stored") for line in said)


def test_code_that_may_not_be_stored_has_a_reason_and_no_tree(
    project: Repository, capsule: Capsule
) -> None:
    source = recorded(project, capsule, "auto", disable_code=True)
    source.settle(PATIENCE_S)
    assert "W&B's disable_code (WANDB_DISABLE_CODE) is on" in str(source.code)
    assert (source.root, source.paths, source.snapshotted) == (None, frozenset(), None)
    assert list(capsule.folder.iterdir()) == []


def test_a_local_bundle_is_kept_by_its_digest_outside_the_capsule(
    tmp_path: Path, capsule: Capsule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    kept = stored(_writes(b"tree"), capsule.bundle, "local")
    assert (kept.name, kept.kept) == (capsule.bundle.name, "local")
    (file,) = (tmp_path / "data").rglob("*.bundle")
    assert (file.name, file.read_bytes()) == (f"{kept.sha256}.bundle", b"tree")
    assert not capsule.bundle.exists()


def test_a_bundle_of_the_run_is_written_into_the_capsule(capsule: Capsule) -> None:
    kept = stored(_writes(b"tree"), capsule.bundle, "upload")
    assert (kept.kept, capsule.bundle.read_bytes()) == ("run", b"tree")


def _writes(content: bytes) -> Any:
    def write(path: Path) -> BundleFile:
        path.write_bytes(content)
        return BundleFile(name=path.name, sha256=sha256_of_file(path), size_bytes=len(content))

    return write


def test_a_rerun_has_the_originals_tree_where_it_was_restored(
    tmp_path: Path, capsule: Capsule
) -> None:
    original = Capsule(tmp_path / "original")
    original.folder.mkdir()
    original.manifest.write_bytes(full_manifest().sealed().document)
    original.bundle.write_bytes(b"bundle")
    original.added.write_bytes(b"added")
    request = rerun_request(capsule=str(original.folder), code_root="/rerun/code")

    source = restored_source(request, capsule)
    source.settle(PATIENCE_S)

    code, recorded = code_of(source), full_manifest().execution.code
    assert isinstance(recorded, Code)
    assert isinstance(code.added, Added)
    assert (code.root, code.tree, code.bundle) == ("/rerun/code", recorded.tree, recorded.bundle)
    assert code.added.top == "/rerun/code"
    assert (capsule.bundle.read_bytes(), capsule.added.read_bytes()) == (b"bundle", b"added")


def test_a_rerun_of_a_run_without_code_says_why_it_has_none(
    tmp_path: Path, capsule: Capsule
) -> None:
    source = restored_source(rerun_request(capsule=str(tmp_path / "missing")), capsule)
    source.settle(PATIENCE_S)
    assert "source tree" in str(source.code)


@pytest.mark.parametrize(
    ("choice", "settings", "reason"),
    [
        ("off", {}, 'code="off"'),
        ("auto", {"disable_git": True}, "disable_git (WANDB_DISABLE_GIT)"),
        ("auto", {"save_code": False}, "save_code=False"),
        ("upload", {"disable_code": True}, ""),
        ("local", {"save_code": False}, ""),
        ("auto", {"save_code": True}, ""),
    ],
)
def test_switches_of_wandb_forbid_only_what_was_not_asked_for(
    tmp_path: Path, choice: str, settings: dict[str, bool], reason: str
) -> None:
    found = why_no_code(choice, run_in(tmp_path, **settings))
    assert reason in found
    assert bool(found) is bool(reason)
