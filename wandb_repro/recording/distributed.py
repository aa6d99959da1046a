"""Rank of this process in a distributed training, read from its environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
"""Variables of torchrun, Open MPI, MPICH and Slurm's ``srun``.

SLURM_NTASKS is not read: ``sbatch`` sets it and starts one process."""


class World(NamedTuple):
    """Rank of a process, from 0, among ``size``."""

    rank: int
    size: int


def world_of(environ: Mapping[str, str]) -> World:
    """Return the rank of a process with these variables; rank 0 of 1 without a launcher."""
    for rank, size in _LAUNCHERS:
        if environ.get(rank, "").isdecimal() and environ.get(size, "").isdecimal():
            return World(int(environ[rank]), int(environ[size]))
    return _of_tensorflow(environ.get("TF_CONFIG", "")) or World(0, 1)


def _of_tensorflow(text: str) -> World | None:
    try:
        config: Any = json.loads(text) if text else {}
        cluster = cast("dict[str, list[str]]", config["cluster"])
        workers = [*cluster.get("chief", []), *cluster.get("worker", [])]
        task: Any = config["task"]
        first = len(cluster.get("chief", [])) if task["type"] == "worker" else 0
        return World(first + int(task["index"]), len(workers))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
