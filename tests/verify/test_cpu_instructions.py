"""Classes of vector instructions, caps, and oneDNN's default."""

from __future__ import annotations

import pytest

from wandb_repro.verify.cpu_instructions import cap_of, capped_class, onednn_is_on, vector_class

AVX2 = ("avx", "avx2", "sse4_1")
AVX512 = (*AVX2, "avx512f", "avx512bw", "avx512dq", "avx512vl")


@pytest.mark.parametrize(
    ("flags", "name"),
    [((), ""), (("sse4_1",), "SSE41"), (AVX2, "AVX2"), (AVX512, "AVX512_CORE")],
)
def test_the_class_is_the_highest_that_the_flags_allow(flags: tuple[str, ...], name: str) -> None:
    assert vector_class(flags) == name


def test_part_of_a_class_is_not_that_class() -> None:
    assert vector_class((*AVX2, "avx512f")) == "AVX2"


@pytest.mark.parametrize(
    ("value", "cap"),
    [("", ""), ("ALL", ""), ("default", ""), ("avx2", "AVX2"), (" AVX2 ", "AVX2")],
)
def test_a_cap_is_read_in_any_spelling(value: str, cap: str) -> None:
    assert cap_of({"ONEDNN_MAX_CPU_ISA": value}) == cap


def test_a_newer_class_is_capped_like_the_one_that_it_extends() -> None:
    assert cap_of({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}) == "AVX512_CORE"


def test_onednns_older_variable_counts_and_an_unknown_cap_is_none() -> None:
    assert cap_of({"DNNL_MAX_CPU_ISA": "AVX"}) == "AVX"
    assert cap_of({"ONEDNN_MAX_CPU_ISA": "AVX9"}) is None


def test_the_class_in_use_is_the_lower_of_processor_and_cap() -> None:
    assert capped_class(AVX512, "AVX2") == "AVX2"
    assert capped_class(AVX2, "AVX512_CORE") == "AVX2"
    assert capped_class(AVX2, "") == "AVX2"
    assert capped_class(AVX2, None) == ""
    assert capped_class((), "AVX2") == ""


@pytest.mark.parametrize(
    ("value", "flags", "on"),
    [
        ("0", ("avx512_vnni",), False),
        ("false", ("avx512_vnni",), False),
        ("1", (), True),
        ("TRUE", (), True),
        ("", ("avx512_vnni",), True),
        ("", AVX512, False),
    ],
)
def test_onednn_follows_the_variable_and_then_the_processor(
    value: str, flags: tuple[str, ...], on: bool
) -> None:
    assert onednn_is_on(flags, {"TF_ENABLE_ONEDNN_OPTS": value}) is on
