from __future__ import annotations

from pathlib import Path

from tests.support.records import full_manifest, moments, rerun_manifest
from tests.workflows.test_verify_capsules import other, written
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.workflows.diff_capsules import diff_capsules

THREADS = {"description.runtime.intra_op_threads": 77}


def test_runs_that_verify_calls_diverged_always_differ(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(), other(moments()))

    assert differences(full_manifest(), rerun_manifest()) == ()

    (found,) = diff_capsules(one, two)

    assert (found.kind, found.fact) == ("result", "weights")
    assert found.sentence == "The weights differ first at the final weights"


def test_what_came_out_is_before_what_may_have_caused_it(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(THREADS), other(moments()))

    assert [found.fact for found in diff_capsules(one, two)] == ["weights", "intra-op threads"]


def test_of_a_damaged_trail_only_the_manifests_are_compared(tmp_path: Path) -> None:
    one = written(tmp_path / "one", full_manifest(), moments())
    two = written(tmp_path / "two", rerun_manifest(THREADS), other(moments()))
    two.trail.write_bytes(b"no trail")

    assert [found.fact for found in diff_capsules(one, two)] == ["intra-op threads"]
