from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_run import FakeRun
from wandb_repro.recording.children.child_lines import lines_in
from wandb_repro.recording.children.own_record import note_own_run
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import Run

WORKERS = """
import multiprocessing
import sys

def work(fails):
    from wandb_repro.recording.children.own_record import finish_at_end_of_worker
    finish_at_end_of_worker(lambda: print("finished", sys.exc_info()[0], flush=True))
    if fails:
        raise SystemExit(0)

if __name__ == "__main__":
    for kind in ("fork", "spawn"):
        for fails in (False, True):
            started = multiprocessing.get_context(kind).Process(target=work, args=(fails,))
            started.start()
            started.join()
    work(False)
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[str]:
    yield str(tmp_path / "training")
    process.parent_file = ""


def run(folder: Path) -> Run:
    return cast("Run", cast("Any", FakeRun.below(folder)))


def test_a_child_names_its_run_for_its_parent(tmp_path: Path, file: str) -> None:
    process.parent_file = file
    note_own_run(run(tmp_path), FakeHost(started_in=str(tmp_path)))
    (line,) = lines_in(file)
    assert line["run"] == "wandb/offline-run-1"


def test_a_process_that_no_recorded_one_started_names_it_to_nobody(
    tmp_path: Path, file: str
) -> None:
    note_own_run(run(tmp_path), FakeHost(started_in=str(tmp_path)))
    assert list(lines_in(file)) == []


def test_a_worker_closes_its_record_at_its_end_and_another_process_at_exit(tmp_path: Path) -> None:
    # Workers end without what is registered with ``atexit``.
    (tmp_path / "train.py").write_text(WORKERS)
    ended = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    lines = ended.stdout.splitlines()
    assert lines[::2] == ["finished None"] * 2
    assert lines[1::2] == ["finished <class 'SystemExit'>"] * 2
