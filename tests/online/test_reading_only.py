"""Runs on the server are looked at and compared by their paths, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.online.conftest import Original
from tests.support.client import record_run
from tests.support.machine import Machine, Stored
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Runtime


@pytest.fixture(scope="module")
def other(original: Original, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Give a run that differs from the original in the threads that it had."""
    manifest, path = original.stored.manifest, "default/online/other-threads"
    runtime = manifest.description.runtime
    assert isinstance(runtime, Runtime)
    runtime = runtime.model_copy(update={"intra_op_threads": runtime.intra_op_threads + 5})
    description = manifest.description.model_copy(update={"runtime": runtime})
    run = manifest.run.model_copy(update={"id": "other-threads"})
    changed = manifest.model_copy(update={"description": description, "run": run})
    files = {
        "repro/manifest.json": changed.to_bytes(),
        "repro/trail.jsonl": original.stored.capsule.trail.read_bytes(),
    }
    server = original.stored.server
    record_run(server, tmp_path_factory.mktemp("other"), path, files=files)
    return Stored(server, path)


def test_show_tells_what_was_recorded(original: Original, clean: Machine) -> None:
    done = clean.repro("show", original.stored.path)
    assert done.code == 0, done.said
    assert original.stored.path in done.out
    assert original.stored.config["repro"]["tree"] in done.out
    assert list(clean.work.iterdir()) == []


@pytest.mark.slow
def test_show_gives_the_same_as_data(original: Original, clean: Machine) -> None:
    done = clean.repro("show", original.stored.path, "--json")
    assert done.code == 0, done.said
    assert done.data["manifest"]["run"]["id"] == original.stored.id
    assert [moment["moment"] for moment in done.data["moments"]][-1] == "final"


def test_diff_of_two_runs_names_what_differs(
    original: Original, other: Stored, clean: Machine
) -> None:
    done = clean.repro("diff", original.stored.path, other.path)
    assert done.code == 1, done.said
    assert "thread" in done.said
    assert isinstance(original.stored.manifest.run.rerun_of, Unavailable)


@pytest.mark.slow
def test_diff_of_a_run_with_itself_finds_nothing(original: Original, clean: Machine) -> None:
    done = clean.repro("diff", original.stored.path, original.stored.path, "--json")
    assert (done.code, done.data) == (0, [])


@pytest.mark.slow
def test_verify_of_two_runs_gives_a_verdict(
    original: Original, other: Stored, clean: Machine
) -> None:
    done = clean.repro("verify", original.stored.path, other.path, "--json")
    assert (done.code, done.data["grade"]) == (0, "identical"), done.said
    assert done.data["rerun"] == other.path
    assert not Path(clean.work, "wandb").exists()
