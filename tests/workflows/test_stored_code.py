"""Where the bytes of a run's source tree are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import changed, full_manifest
from wandb_repro.errors import RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.rerun.parts import parts_of
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import local_bundle
from wandb_repro.workflows.stored_code import added_bundle, bundle_of, check_stored

SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def capsule(tmp_path: Path) -> Capsule:
    (tmp_path / "repro").mkdir()
    return Capsule(tmp_path / "repro")


def code(kept: str, *, added: bool = False) -> Code:
    bundle = {"name": "code.bundle", "sha256": SHA256, "size_bytes": 1, "kept": kept}
    changes: dict[str, object] = {"execution.code.bundle": bundle}
    if not added:
        changes["execution.code.added"] = Unavailable(unavailable="nothing").model_dump()
    found = parts_of(changed(full_manifest(), changes)).code
    assert isinstance(found.bundle, BundleFile)
    return found


def test_a_bundle_that_was_stored_with_the_run_is_in_its_capsule(capsule: Capsule) -> None:
    assert bundle_of(capsule, code("run")) == capsule.bundle


def test_a_bundle_that_was_kept_local_is_in_the_users_data_folder(capsule: Capsule) -> None:
    assert bundle_of(capsule, code("local")) == local_bundle(SHA256)


def test_an_export_has_its_bundle_in_the_capsule_wherever_it_was_kept(capsule: Capsule) -> None:
    capsule.bundle.touch()
    assert bundle_of(capsule, code("local")) == capsule.bundle


def test_where_nothing_was_added_its_place_is_the_capsules(capsule: Capsule) -> None:
    assert added_bundle(capsule, code("local")) == capsule.added


def test_what_is_here_passes(capsule: Capsule) -> None:
    capsule.bundle.touch()
    check_stored(capsule, code("run"))


@pytest.mark.parametrize(
    ("kept", "hint"), [("run", "Fetch the run again"), ("local", "on the machine that recorded")]
)
def test_what_is_not_here_is_refused_with_what_to_do(
    kept: str, hint: str, capsule: Capsule
) -> None:
    with pytest.raises(RefusedError, match="source tree is not here") as caught:
        check_stored(capsule, code(kept))
    assert hint in caught.value.hint


def test_what_was_added_must_be_here_too(capsule: Capsule) -> None:
    capsule.bundle.touch()
    with pytest.raises(RefusedError, match="added"):
        check_stored(capsule, code("run", added=True))
