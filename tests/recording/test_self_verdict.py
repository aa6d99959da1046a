"""A rerun judges itself by the original's capsule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.records import (
    full_manifest,
    lines_of,
    moment,
    moments,
    rerun_manifest,
    rerun_request,
    trail,
)
from wandb_repro.errors import ManifestError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Weights
from wandb_repro.recording.self_verdict import Outcome, outcome_of
from wandb_repro.store.capsule import Capsule


def capsule_of(folder: Path, manifest: Manifest, written: Trail) -> Capsule:
    folder.mkdir()
    capsule = Capsule(folder)
    capsule.manifest.write_bytes(manifest.sealed().document)
    capsule.trail.write_bytes(b"".join(lines_of(written.records)))
    return capsule


def outcome(folder: Path, rerun: list[Weights], **options: Any) -> Outcome:
    """Return what a rerun with these moments makes of an original of three epochs."""
    original = capsule_of(folder / "original", full_manifest(), trail())
    request = rerun_request(capsule=str(original.folder), **options)
    manifest = rerun_manifest()
    return outcome_of(request, manifest, capsule_of(folder / "rerun", manifest, trail(rerun)))


def worse_loss() -> list[Weights]:
    *before, _, final = moments()
    other = moment(epoch=3, step=30, leaves=("a9", "b3", "c3"), metrics={"loss": 0.4})
    return [*before, other, final.model_copy(update={"root": other.root, "leaves": other.leaves})]


def test_equal_trails_are_identical_at_every_moment_of_the_original(tmp_path: Path) -> None:
    found = outcome(tmp_path, moments())
    assert (found.verdict.grade, found.original_moments) == ("identical", 6)


def test_a_rerun_until_an_epoch_is_judged_up_to_there(tmp_path: Path) -> None:
    found = outcome(tmp_path, moments()[:3], until_epoch=1)
    assert (found.verdict.grade, found.verdict.moments) == ("identical", 3)
    assert found.original_moments == 6


def test_a_tolerance_of_the_request_is_applied(tmp_path: Path) -> None:
    (tmp_path / "strict").mkdir()
    (tmp_path / "tolerant").mkdir()
    strict = outcome(tmp_path / "strict", worse_loss())
    tolerant = outcome(tmp_path / "tolerant", worse_loss(), metrics={"loss": 0.5})
    assert (strict.verdict.grade, tolerant.verdict.grade) == ("diverged", "equivalent")


def test_an_original_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    broken = capsule_of(tmp_path / "original", full_manifest(), trail())
    broken.manifest.write_bytes(b"{}")
    with pytest.raises(ManifestError):
        outcome_of(rerun_request(capsule=str(broken.folder)), rerun_manifest(), broken)
