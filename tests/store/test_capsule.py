"""Where the parts of a capsule are: names that records in the wild have."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.store.capsule import FOLDER, Capsule


def test_each_part_has_the_name_that_every_release_gave_it() -> None:
    capsule = Capsule(Path("files", FOLDER))

    assert {path.relative_to("files").as_posix() for path in (
        capsule.manifest, capsule.bundle, capsule.cells, capsule.added, capsule.trail,
        capsule.wheels, capsule.changes, capsule.report,
    )} == {
        "repro/manifest.json", "repro/code.bundle", "repro/cells.json", "repro/added.bundle",
        "repro/trail.jsonl", "repro/wheels", "repro/changes.diff", "repro/report.html",
    }  # fmt: skip


def test_asking_for_a_part_reads_and_makes_nothing(tmp_path: Path) -> None:
    assert not Capsule(tmp_path / "gone").manifest.exists()
    assert list(tmp_path.iterdir()) == []
