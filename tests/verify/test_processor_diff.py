"""Differences between two processors, by the instructions that kernels use."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.manifest.machine import Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.processor_diff import processor_differences, used_classes

NETWORKS = ["avx", "avx2", "avx512_vnni", "fma"]


SETS = "description.runtime.processor.instruction_sets"


ONEDNN = "execution.command.environment.TF_ENABLE_ONEDNN_OPTS"
CAP = "execution.command.environment.ONEDNN_MAX_CPU_ISA"
AVX2 = ["avx", "avx2", "fma", "sse4_1"]
AVX512 = [*AVX2, "avx512bw", "avx512dq", "avx512f", "avx512vl"]


def compared(original: dict[str, Any], here: dict[str, Any]) -> tuple[Finding, ...]:
    one, two = changed(full_manifest(), original), rerun_manifest(here)
    runtimes = one.description.runtime, two.description.runtime
    assert isinstance(runtimes[0], Runtime)
    assert isinstance(runtimes[1], Runtime)
    return tuple(processor_differences(one, two, runtimes[0].processor, runtimes[1].processor))


def instructions(original: dict[str, Any], here: dict[str, Any]) -> Finding:
    (finding,) = (one for one in compared(original, here) if one.fact == "instruction sets")
    return finding


@pytest.mark.parametrize(
    ("original", "here", "effect", "cure"),
    [
        ({}, {ONEDNN: "1"}, "changes bits", "unset TF_ENABLE_ONEDNN_OPTS"),
        ({}, {ONEDNN: "0"}, "explains", "set TF_ENABLE_ONEDNN_OPTS=0"),
        ({SETS: NETWORKS}, {SETS: NETWORKS, ONEDNN: "1"}, "explains", ""),
        ({SETS: NETWORKS}, {SETS: NETWORKS, ONEDNN: "0"}, "changes bits", "unset"),
        ({SETS: NETWORKS}, {}, "changes bits", "set TF_ENABLE_ONEDNN_OPTS=1"),
        ({ONEDNN: "1"}, {}, "changes bits", "set TF_ENABLE_ONEDNN_OPTS=1"),
        ({ONEDNN: "1"}, {SETS: NETWORKS}, "explains", ""),
    ],
)
def test_onednn_counts_by_what_it_does_on_each_processor(
    original: dict[str, Any], here: dict[str, Any], effect: str, cure: str
) -> None:
    found = compared(original, here)

    (onednn,) = [one for one in found if "oneDNN" in one.fact or "ONEDNN" in one.fact]
    assert onednn.effect == effect
    assert onednn.cure.startswith(cure)


@pytest.mark.parametrize(
    ("original", "here", "cure"),
    [
        (AVX2, AVX512, "limit this processor to the original's instructions: ONEDNN_MAX_CPU_ISA=A"),
        (AVX512, AVX2, "this processor has no AVX512_CORE: record the run again with ONEDNN_MAX_"),
    ],
)
def test_another_class_of_instructions_changes_bits_and_a_cap_cures_it(
    original: list[str], here: list[str], cure: str
) -> None:
    finding = instructions({SETS: original}, {SETS: here})

    assert finding.effect == "changes bits"
    assert finding.cure.startswith(cure)


def test_under_one_cap_other_instructions_only_may_change_bits() -> None:
    finding = instructions({SETS: AVX2, CAP: "AVX2"}, {SETS: AVX512, CAP: "AVX2"})

    assert finding.effect == "may change bits"
    assert (finding.original, finding.here) == (
        "no others",
        "avx512bw, avx512dq, avx512f, avx512vl",
    )


def test_unknown_instructions_may_change_bits() -> None:
    finding = instructions({}, {SETS: absent("no /proc")})

    assert (finding.effect, finding.here) == ("may change bits", "not known (no /proc)")


@pytest.mark.parametrize(
    ("changes", "classes"),
    [
        ({SETS: AVX512}, ("AVX2", "AVX512_CORE")),
        ({SETS: AVX512, CAP: "AVX2"}, ("AVX2", "AVX2")),
        ({SETS: absent("no /proc")}, None),
        ({"description.runtime": absent("lost")}, None),
    ],
)
def test_the_classes_in_use_are_capped_and_unknown_where_one_is(
    changes: dict[str, Any], classes: tuple[str, str] | None
) -> None:
    original: Manifest = changed(full_manifest(), {SETS: AVX2})

    assert used_classes(original, rerun_manifest(changes)) == classes
