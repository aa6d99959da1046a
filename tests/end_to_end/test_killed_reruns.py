"""A rerun that is killed at any moment leaves no process, and the next one works."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from pathlib import Path

import pytest

from tests.support.processes import marked
from tests.support.recorded import Ask, Project, begun

KILLS = int(os.environ.get("WANDB_REPRO_KILLS", "6"))
"""How often each way is killed; 100 before a release."""

LONGEST_S = 5.0
"""Within this a rerun is at the training, which then waits."""


@pytest.mark.slow
@pytest.mark.parametrize("environment", ["here", "rebuild"])
def test_a_killed_rerun_leaves_no_process(
    lean: Project, ask: Ask, tmp_path: Path, environment: str
) -> None:
    draw = random.Random(1)  # noqa: S311 - no secret
    words = ("rerun", lean.run_folder, "--env", environment, "--yes")
    trained = 0
    for kill in range(KILLS):
        number = draw.choice([signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP])
        moment_s = draw.uniform(0, LONGEST_S)
        mark = f"killed-{secrets.token_hex(8)}"
        folder = tmp_path / f"rerun-{kill}"
        with begun(*words, "--dir", folder, cwd=tmp_path, NUMBERS_DO="wait:2", MARK=mark) as rerun:
            time.sleep(moment_s)
            rerun.send_signal(number)
            rerun.wait(60)
            trained += (folder / "order.json").exists()
            until = time.monotonic() + 30
            while (left := marked(mark)) and time.monotonic() < until:
                time.sleep(0.05)
            assert left == {}, f"after signal {number} at {moment_s:.2f} s"
    assert trained, "none was killed while it trained"

    answer = ask(*words, "--json", "--dir", tmp_path / "next", cwd=tmp_path)

    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"


@pytest.mark.slow
def test_a_killed_run_leaves_no_process(tmp_path: Path) -> None:
    project = Project.made(tmp_path / "project")
    mark = f"killed-{secrets.token_hex(8)}"
    words = ("run", "--", "train.py")
    with begun(*words, cwd=project.folder, NUMBERS_DO="wait:2", MARK=mark) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if "waiting" in line:
                break
        run.kill()
        until = time.monotonic() + 30
        while (left := marked(mark)) and time.monotonic() < until:
            time.sleep(0.05)
        assert left == {}
