"""The environment variables that a record sets for its rerun."""

from __future__ import annotations

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.errors import RefusedError
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.start_variables import start_variables


def variables(
    environment: dict[str, str], threads: int | None = None, **changes: object
) -> dict[str, str]:
    told = {"execution.command.environment": environment, "description.runtime": absent("-")}
    manifest = changed(full_manifest(), {**told, **changes})
    return start_variables(manifest, parts_of(manifest).command, threads)


def test_recorded_switches_are_set_as_they_were() -> None:
    recorded = {"TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONHASHSEED": "3"}
    assert variables(recorded) == recorded


def test_the_width_is_the_recorded_one_unless_another_is_asked_for() -> None:
    manifest = changed(full_manifest(), {"description.runtime.intra_op_threads": 6})
    command = parts_of(manifest).command
    assert start_variables(manifest, command, None)["TF_NUM_INTRAOP_THREADS"] == "6"
    assert start_variables(manifest, command, 1)["TF_NUM_INTRAOP_THREADS"] == "1"
    assert variables({}, threads=3) == {"TF_NUM_INTRAOP_THREADS": "3"}


def test_flags_that_make_xla_write_files_are_left_out() -> None:
    flags = "--xla_dump_to=/home/ada --xla_cpu_enable_fast_math=false --xla_gpu_dump_llvmir"
    assert variables({"XLA_FLAGS": flags}) == {"XLA_FLAGS": "--xla_cpu_enable_fast_math=false"}


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "PYTHONSTARTUP", "XLA_FLAGS\n"])
def test_a_variable_that_is_no_switch_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="not a training switch"):
        variables({name: "x"})


def test_a_value_that_no_variable_can_hold_is_refused() -> None:
    with pytest.raises(RefusedError, match="NUL"):
        variables({"PYTHONHASHSEED": "1\0"})
