"""The verdict on two capsules on this disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import (
    full_manifest,
    lines_of,
    moment,
    moments,
    rerun_manifest,
    trail,
)
from wandb_repro.errors import NotFoundError, RefusedError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail_records import Weights
from wandb_repro.store.capsule import Capsule
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.workflows.verify_capsules import verify_capsules


def written(folder: Path, manifest: Manifest, found: list[Weights]) -> Capsule:
    folder.mkdir()
    capsule = Capsule(folder)
    capsule.manifest.write_bytes(manifest.to_bytes())
    capsule.trail.write_bytes(b"".join(lines_of(trail(found).records)))
    return capsule


def other(found: list[Weights]) -> list[Weights]:
    return [*found[:-1], moment("final", epoch=3, step=30, leaves=("99", "98", "97"))]


def test_equal_trails_are_identical(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(), moments())

    assert verify_capsules(one, two).grade == "identical"


def test_other_weights_at_the_end_have_diverged_unless_the_limit_ends_before(
    tmp_path: Path,
) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(), other(moments()))

    assert verify_capsules(one, two).grade == "diverged"
    assert verify_capsules(one, two, Limit(1)).first is None


def test_a_part_that_is_not_the_recorded_one_is_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(), moments())
    two.bundle.write_bytes(b"another bundle")

    with pytest.raises(RefusedError, match="not match its manifest"):
        verify_capsules(one, two)


def test_a_folder_without_a_record_is_named(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())

    with pytest.raises(NotFoundError, match="gone"):
        verify_capsules(one, Capsule(tmp_path / "gone"))
