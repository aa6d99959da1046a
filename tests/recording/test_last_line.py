"""The last line of a training gives the answer of ``show``, and the command or the cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.records import absent, moments, trail
from tests.support.training import Young, data, dense_model
from tests.verify.test_audit import plain
from wandb_repro.manifest.trail_records import Inventory
from wandb_repro.recording.last_line import last_line

FILES = Path("/project/wandb/offline-run-1-a1/files")
COMMAND = "`wandb-repro rerun ada/digits/a1b2c3d4`"


def line_of(changes: dict[str, Any] | None = None, started_in: str = "/project") -> str:
    return last_line(plain(changes), trail(), files=FILES, started_in=started_in)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, f"recorded: can be rerun with {COMMAND}"),
        (
            {"description.runtime.hash_seed": "random"},  # explains, and stops nothing
            f"recorded: can be rerun with {COMMAND}",
        ),
        (
            {"execution.world_size": 4},
            "recorded, but cannot be rerun: It trained in 4 processes; "
            "only runs with one process can be rerun",
        ),
        (
            {"description.seeds.generators.3.when": "after first use"},
            f"recorded: can be rerun with {COMMAND}, but not to the same bits: "
            "The seed was set after a model was built: its initial weights cannot be repeated; "
            "call wandb_repro.init before building the model",
        ),
        (
            {"ending": absent("killed")},
            f"recorded: can be rerun with {COMMAND}, but perhaps not to the same bits: "
            "The record has no end: the run was killed or is still running; "
            "compare the recorded epochs: rerun with --until-epoch",
        ),
    ],
)
def test_the_line_says_what_show_says(changes: dict[str, Any], line: str) -> None:
    assert line_of(changes) == line


def test_what_no_rerun_compares_is_said() -> None:
    record = trail([*moments(), Inventory(things=(), notes=("a worker trained",))])

    line = last_line(plain(), record, files=FILES, started_in="/project")

    assert line == (
        f"recorded: can be rerun with {COMMAND}, but not all is compared: A worker trained"
    )


def test_further_reasons_are_counted() -> None:
    unknown = absent("not there")
    line = line_of({"execution.command": unknown, "execution.packages": unknown})
    assert line.startswith(
        "recorded, but cannot be rerun: The command is not recorded: not there (and "
    )


@pytest.mark.parametrize(
    ("started_in", "named"),
    [
        ("/project", "wandb/offline-run-1-a1"),
        ("/elsewhere", "/project/wandb/offline-run-1-a1"),
    ],
)
def test_an_offline_run_is_named_by_its_folder(started_in: str, named: str) -> None:
    line = line_of({"run.offline": True}, started_in)
    assert line == f"recorded: can be rerun with `wandb-repro rerun {named}`"


def test_a_training_ends_with_it(offline: Young, capsys: pytest.CaptureFixture[str]) -> None:
    import wandb_repro

    run = wandb_repro.init(project="p", seed=5)
    dense_model().fit(*data(), epochs=1, verbose=0)
    run.finish()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("wandb_repro: recorded")
    assert str(Path(run.dir).parent) in last or "cannot be rerun" in last


def test_a_run_that_recorded_no_training_says_so(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    import wandb_repro

    wandb_repro.init(project="p", seed=5).finish()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("wandb_repro: recorded, but cannot be rerun: ")
