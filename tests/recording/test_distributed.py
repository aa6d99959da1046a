from __future__ import annotations

import json

import pytest

from wandb_repro.recording.distributed import World, world_of


def cluster(kind: str, index: int) -> str:
    workers = {"chief": ["a"], "worker": ["b", "c"]}
    return json.dumps({"cluster": workers, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("environ", "world"),
    [
        ({}, World(0, 1)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, World(1, 2)),
        ({"OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "4"}, World(3, 4)),
        ({"PMI_RANK": "0", "PMI_SIZE": "2"}, World(0, 2)),
        ({"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "8"}, World(1, 8)),
        ({"TF_CONFIG": cluster("chief", 0)}, World(0, 3)),
        ({"TF_CONFIG": cluster("worker", 1)}, World(2, 3)),
    ],
)
def test_each_launchers_variables_tell_which_process_this_is(
    environ: dict[str, str], world: World
) -> None:
    assert world_of(environ) == world


@pytest.mark.parametrize(
    "environ",
    [
        {"RANK": "1"},
        {"RANK": "one", "WORLD_SIZE": "2"},
        {"SLURM_PROCID": "1", "SLURM_NTASKS": "8"},
        {"TF_CONFIG": "{"},
        {"TF_CONFIG": "[]"},
        {"TF_CONFIG": "{}"},
    ],
)
def test_variables_that_tell_nothing_leave_the_process_alone(environ: dict[str, str]) -> None:
    assert world_of(environ) == World(0, 1)
