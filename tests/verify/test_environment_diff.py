"""Differences between the machines and frameworks of two runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.verify.environment_diff import environment_differences, frameworks, has_gpu
from wandb_repro.verify.finding import Finding

RUNTIME = "description.runtime"
FRAMEWORK = f"{RUNTIME}.framework"
GPUS = "description.accelerator.gpus"


def found(changes: dict[str, Any]) -> tuple[Finding, ...]:
    return tuple(environment_differences(full_manifest(), rerun_manifest(changes)))


def test_equal_environments_have_no_difference() -> None:
    assert found({}) == ()


def test_without_packages_the_versions_that_keras_reports_are_compared() -> None:
    unknown: dict[str, object] = {"execution.packages": absent("lost")}
    original = changed(full_manifest(), unknown)

    findings = environment_differences(
        original, rerun_manifest({**unknown, f"{FRAMEWORK}.keras": "3.14.0"})
    )

    assert [one.fact for one in findings] == ["Keras version"]


def test_the_frameworks_are_those_that_both_runs_recorded() -> None:
    original = full_manifest()
    other = rerun_manifest({f"{FRAMEWORK}.backend": "jax"})
    unknown = rerun_manifest({FRAMEWORK: absent("not imported")})

    both = frameworks(original, other)

    assert both is not None
    assert (both[0].backend, both[1].backend) == ("tensorflow", "jax")
    assert frameworks(original, unknown) is None
    assert frameworks(original, rerun_manifest({RUNTIME: absent("lost")})) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({GPUS: absent("no driver")}, False),
        ({"description.accelerator": absent("the probe failed")}, True),
    ],
)
def test_a_run_may_have_had_a_gpu_unless_its_record_says_there_was_none(
    changes: dict[str, Any], expected: bool
) -> None:
    assert has_gpu(rerun_manifest(changes)) is expected


@pytest.mark.parametrize(
    ("path", "value", "fact", "cure"),
    [
        (f"{FRAMEWORK}.backend", "jax", "Keras backend", "set KERAS_BACKEND=tensorflow"),
        (f"{FRAMEWORK}.floatx", "float16", "float type", "set floatx to float32 in keras.json"),
        (f"{FRAMEWORK}.dtype_policy", "mixed_float16", "dtype policy", "set it to float32"),
        (f"{FRAMEWORK}.inter_op_threads", 99, "inter-op threads", ""),
        (f"{FRAMEWORK}.steps_per_execution", 99, "steps_per_execution", ""),
        (f"{RUNTIME}.intra_op_threads", 99, "intra-op threads", "set TF_NUM_INTRAOP_THREADS="),
        ("description.accelerator.driver", "1", "GPU driver", "install the original's: "),
        ("description.accelerator.cuda_build", "1", "CUDA build", "install the original's: "),
        ("description.accelerator.cudnn_build", "1", "cuDNN build", "install the original's: "),
        ("description.machine.os", "Plan 9", "operating system", ""),
        ("description.machine.kernel", "1", "kernel", ""),
        ("description.machine.hostname", "other", "host", ""),
        ("description.machine.memory_bytes", 1, "memory", ""),
        ("description.machine.container", "other", "container image", ""),
    ],
)
def test_a_fact_that_differs_is_named_with_what_to_do(
    path: str, value: object, fact: str, cure: str
) -> None:
    (finding,) = found({path: value})

    assert (finding.fact, finding.here) == (fact, str(value))
    assert finding.cure.startswith(cure)
    assert bool(finding.cure) == bool(cure)


def test_a_gpu_fewer_changes_bits_and_no_gpu_reads_as_none() -> None:
    one = full_manifest().model_dump(mode="json")["description"]["accelerator"]["gpus"][:1]

    (fewer,) = found({GPUS: one})
    (none,) = found({GPUS: absent("no driver")})

    assert (fewer.original, fewer.here) == ("NVIDIA H200, NVIDIA H200", "NVIDIA H200")
    assert (fewer.effect, none.here, none.effect) == ("changes bits", "none", "changes bits")


def test_a_machine_that_one_run_did_not_record_is_no_difference() -> None:
    assert found({"description.machine": absent("the probe failed")}) == ()


@pytest.mark.parametrize(
    ("value", "cure"),
    [(True, "pass jit_compile=True to compile"), (absent("lost"), "set jit_compile as in the")],
)
def test_a_setting_of_compile_is_cured_by_the_originals(value: object, cure: str) -> None:
    original = changed(full_manifest(), {f"{FRAMEWORK}.jit_compile": value})

    (finding,) = environment_differences(original, rerun_manifest())

    assert finding.cure.startswith(cure)
