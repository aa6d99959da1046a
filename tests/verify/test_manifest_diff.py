"""What differs between two runs: its effect, its cure, and what is no difference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.manifest.switches import BIT_CHANGING
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.manifest_diff import differences


def found(changes: dict[str, Any]) -> tuple[Finding, ...]:
    return differences(full_manifest(), rerun_manifest(changes))


def only(changes: dict[str, Any]) -> Finding:
    (finding,) = found(changes)
    return finding


def test_a_rerun_that_is_alike_has_no_difference() -> None:
    assert found({}) == ()


KERAS = "execution.packages.distributions.0"
RICH = "execution.packages.distributions.1"
LOCAL = "execution.packages.distributions.3"
PROCESSOR = "description.runtime.processor"
FRAMEWORK = "description.runtime.framework"
GPU = "description.accelerator"
COMMAND = "execution.command"

FACTS: dict[str, tuple[str, object, str, str, str]] = {
    "seed": ("execution.seed", "7", "seed", "changes bits", "pass seed=42 to init"),
    "tree": ("execution.code.tree", "0" * 40, "code", "changes bits", "capsule"),
    "script": (f"{COMMAND}.target", "b.py", "command", "may change bits", ""),
    "arguments": (f"{COMMAND}.arguments.1", "0.2", "command", "may change bits", ""),
    "working directory": (f"{COMMAND}.working_directory", "sub", "command", "may change bits", ""),
    "flags": (f"{COMMAND}.interpreter_flags", ["-O"], "command", "may change bits", ""),
    "processes": ("execution.world_size", 2, "command", "changes bits", "train in 1 processes"),
    "hash seed": ("description.runtime.hash_seed", "random", "switch", "explains", ""),
    "config": ("execution.config.lr", 0.2, "config", "may change bits", ""),
    "config, type": ("execution.config.lr", True, "config", "may change bits", ""),
    "data": (
        "description.data.0.digest",
        "wrepro-root-xxh3-128-1:00",
        "data",
        "changes bits",
        "train on the same data as the original",
    ),
    "threads": (
        "description.runtime.intra_op_threads",
        1,
        "threads",
        "changes bits",
        "set TF_NUM_INTRAOP_THREADS=2",
    ),
    "instruction sets": (
        f"{PROCESSOR}.instruction_sets",
        ["avx", "avx512f"],
        "processor",
        "changes bits",
        "ONEDNN_MAX_CPU_ISA",
    ),
    "processor": (f"{PROCESSOR}.model", "Intel", "processor", "may change bits", ""),
    "caches": (f"{PROCESSOR}.caches", ["L1d 48K"], "processor", "may change bits", ""),
    "backend": (f"{FRAMEWORK}.backend", "jax", "framework", "changes bits", "KERAS_BACKEND="),
    "build": (f"{FRAMEWORK}.backend_build", "v2.21.0", "framework", "changes bits", ""),
    "float type": (f"{FRAMEWORK}.floatx", "float16", "framework", "changes bits", "float32"),
    "policy": (f"{FRAMEWORK}.dtype_policy", "mixed_float16", "framework", "changes bits", ""),
    "jit": (f"{FRAMEWORK}.jit_compile", True, "framework", "changes bits", ""),
    "eager": (f"{FRAMEWORK}.run_eagerly", True, "framework", "changes bits", ""),
    "TF32": (f"{FRAMEWORK}.tensor_float_32", False, "framework", "changes bits", ""),
    "determinism": (
        f"{FRAMEWORK}.op_determinism",
        False,
        "determinism",
        "changes bits",
        "pass deterministic=True to init",
    ),
    "determinism, as asked": (
        "execution.deterministic",
        None,
        "determinism",
        "explains",
        "pass deterministic=True to init",
    ),
    "inter-op threads": (f"{FRAMEWORK}.inter_op_threads", 4, "framework", "explains", ""),
    "steps per execution": (f"{FRAMEWORK}.steps_per_execution", 4, "framework", "explains", ""),
    "GPU": (f"{GPU}.gpus.0.name", "NVIDIA A100", "accelerator", "changes bits", ""),
    "driver": (f"{GPU}.driver", "570.1", "accelerator", "may change bits", ""),
    "CUDA": (f"{GPU}.cuda_build", "12.8", "accelerator", "may change bits", ""),
    "cuDNN": (f"{GPU}.cudnn_build", "8", "accelerator", "may change bits", ""),
    "libraries": (f"{GPU}.loaded_libraries", [], "accelerator", "may change bits", ""),
    "Python": (
        "execution.packages.interpreter.version",
        "3.12.1",
        "interpreter",
        "may change bits",
        "run with Python 3.11.7",
    ),
    "Keras": (f"{KERAS}.version", "3.14.0", "framework", "changes bits", "install keras==3.15.1"),
    "a package": (f"{RICH}.version", "13.0", "package", "may change bits", "install rich==13.9.4"),
    "its content": (f"{RICH}.record_digest", "0" * 64, "package", "may change bits", "rich"),
    "a local package": (f"{LOCAL}.version", "0.4", "package", "may change bits", "tools==0.3"),
    "system": ("description.machine.os", "Ubuntu", "machine", "explains", ""),
    "kernel": ("description.machine.kernel", "5.15", "machine", "explains", ""),
    "host": ("description.machine.hostname", "hopper", "machine", "explains", ""),
    "memory": ("description.machine.memory_bytes", 1, "machine", "explains", ""),
    "image": ("description.machine.container", "other", "machine", "explains", ""),
}


@pytest.mark.parametrize(("path", "value", "kind", "effect", "cure"), FACTS.values(), ids=FACTS)
def test_a_fact_that_differs_has_an_effect_and_a_cure(
    path: str, value: object, kind: str, effect: str, cure: str
) -> None:
    finding = only({path: value})

    assert (finding.kind, finding.effect) == (kind, effect)
    assert cure in finding.cure
    assert finding.original in finding.sentence
    assert finding.here in finding.sentence


@pytest.mark.parametrize("path", [facts[0] for facts in FACTS.values()])
def test_a_fact_that_is_not_known_here_can_at_most_perhaps_change_bits(path: str) -> None:
    try:
        findings = found({path: absent("the probe failed")})
    except ValueError:
        return  # a field that is always known

    assert {one.effect for one in findings} <= {"may change bits", "explains"}


@pytest.mark.parametrize("name", BIT_CHANGING)
def test_a_variable_known_to_change_bits_does_so(name: str) -> None:
    findings = found({f"{COMMAND}.environment.{name}": "X"})

    if name == "TF_NUM_INTRAOP_THREADS":
        assert findings == ()  # what it does is compared: the effective number of threads
    elif name == "TF_ENABLE_ONEDNN_OPTS":
        assert [one.effect for one in findings] == ["explains"]  # "X" is no value: it does nothing
    else:
        assert [(one.effect, one.cure) for one in findings] == [("changes bits", f"unset {name}")]


@pytest.mark.parametrize("name", ["TF_NUM_INTEROP_THREADS", "CUDA_VISIBLE_DEVICES"])
def test_a_variable_not_known_to_change_bits_explains(name: str) -> None:
    assert only({f"{COMMAND}.environment.{name}": "1"}).effect == "explains"


def test_a_variable_that_was_set_is_to_be_set_again() -> None:
    original = changed(full_manifest(), {f"{COMMAND}.environment.XLA_FLAGS": "--xla_x=1"})

    (finding,) = differences(original, rerun_manifest())

    assert finding.cure == "set XLA_FLAGS=--xla_x=1"


WHOLE_PARTS = [
    "execution.command",
    "execution.code",
    "execution.packages",
    "execution.config",
    "description.data",
    "description.runtime",
    "description.accelerator",
]


@pytest.mark.parametrize("path", WHOLE_PARTS)
def test_a_part_that_one_side_lacks_is_never_passed_over(path: str) -> None:
    findings = found({path: absent("the probe failed")})

    assert "not known (the probe failed)" in {one.here for one in findings}


@pytest.mark.parametrize("path", [*WHOLE_PARTS, "description.machine"])
def test_what_neither_side_knows_does_not_differ(path: str) -> None:
    original = changed(full_manifest(), {path: absent("one reason")})

    findings = differences(original, rerun_manifest({path: absent("another")}))

    assert [one for one in findings if "reason" in one.sentence] == []


def test_a_dataset_fingerprinted_twice_is_compared_twice() -> None:
    data = full_manifest().model_dump(mode="json")["description"]["data"]
    other = {**data[0], "digest": "wrepro-root-xxh3-128-1:00"}

    finding = only({"description.data": [other, *data]})

    assert finding.kind == "data"


# Two other values of one fact, or what goes with another, are no difference of their own.
APART = sorted(set(FACTS) - {"config, type", "its content"})


@given(st.sets(st.sampled_from(APART), min_size=1))
def test_every_difference_is_found_whatever_else_differs(names: set[str]) -> None:
    changes = {FACTS[name][0]: FACTS[name][1] for name in names}

    assert len({one.fact for one in found(changes)}) == len(names)


@pytest.mark.parametrize(("gpus", "effect"), [(False, "explains"), (True, "changes bits")])
def test_what_only_a_gpu_reads_changes_no_bits_without_one(gpus: bool, effect: str) -> None:
    none = {} if gpus else {f"{GPU}.gpus": absent("no NVML")}
    setting = {f"{COMMAND}.environment.CUBLAS_WORKSPACE_CONFIG": ":4096:8"}

    findings = differences(changed(full_manifest(), none), rerun_manifest({**none, **setting}))

    assert [one.effect for one in findings] == [effect]
