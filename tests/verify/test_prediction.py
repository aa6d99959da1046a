"""What is foreseen: by what stands in the way, and by what settles itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import full_manifest, rerun_manifest
from tests.verify.test_manifest_diff import APART, FACTS
from wandb_repro.verify.cpu_instructions import cap_of, capped_class, vector_class
from wandb_repro.verify.finding import Finding, about_one_run
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.prediction import How, Prediction, predict


def foreseen(
    *names: str,
    how: How = "rerun",
    rebuilt: bool = True,
    kept: tuple[str, ...] = (),
    unknown: tuple[str, ...] = (),
) -> Prediction:
    changes = {FACTS[name][0]: FACTS[name][1] for name in names}
    found = differences(full_manifest(), rerun_manifest(changes))
    return predict("a/b/c", how, "", found, rebuilt=rebuilt, kept=frozenset(kept), unknown=unknown)


def test_nothing_different_is_expected_to_be_identical() -> None:
    assert (foreseen().expected, foreseen().exit_code) == ("identical", 0)


def test_what_rerun_restores_does_not_stand_in_the_way() -> None:
    found = foreseen("threads", "seed", "tree", "Keras", "Python", "config")

    assert (found.expected, found.findings) == ("identical", ())
    assert len(found.settled) == 6


@pytest.mark.parametrize("name", ["threads", "seed", "tree", "Keras", "instruction sets", "GPU"])
def test_by_hand_nothing_restores_it(name: str) -> None:
    found = foreseen(name, how="by hand", rebuilt=False)

    assert (found.expected, found.exit_code, found.settled) == ("different", 1, ())


@pytest.mark.parametrize("name", ["instruction sets", "GPU"])
def test_a_machine_cannot_be_restored(name: str) -> None:
    assert foreseen(name).expected == "different"


@pytest.mark.parametrize("name", ["processor", "caches", "driver", "cuDNN"])
def test_what_may_change_bits_is_a_finding(name: str) -> None:
    assert (foreseen(name).expected, foreseen(name).exit_code) == ("perhaps", 1)


def test_an_environment_that_is_taken_as_it_is_stands_in_the_way() -> None:
    assert foreseen("Keras", rebuilt=False).expected == "different"


def test_a_width_that_somebody_asks_for_is_not_restored() -> None:
    assert foreseen("threads", kept=("intra-op threads",)).expected == "different"


def test_what_stops_a_rerun_comes_first_and_is_never_settled() -> None:
    refused = Finding(
        kind="command", fact="rerun", original="", here="", effect="stops", sentence="It cannot"
    )
    found = [*differences(full_manifest(), rerun_manifest({"execution.seed": "7"})), refused]

    foreseen_ = predict("a", "rerun", "", found, rebuilt=True)

    assert (foreseen_.expected, foreseen_.findings) == ("different", (refused,))


def test_what_cannot_be_told_is_never_expected_to_be_identical() -> None:
    assert (foreseen(unknown=("why",)).expected, foreseen(unknown=("why",)).exit_code) == (
        "unknown",
        3,
    )
    assert foreseen("GPU", unknown=("why",)).expected == "different"


def test_a_run_of_which_a_part_is_not_compared_is_never_expected_to_be_identical() -> None:
    part = about_one_run("ending", "not digested", "", "is not compared", "A model was deleted")
    found = predict("a/b/c", "rerun", "", [part], rebuilt=True)

    assert found.expected == "unknown"
    assert found.findings == (part,)


@given(st.sets(st.sampled_from(APART)), st.sampled_from(["rerun", "by hand"]), st.booleans())
def test_every_difference_is_in_one_list_and_none_that_changes_bits_is_called_harmless(
    names: set[str], how: How, rebuilt: bool
) -> None:
    found = foreseen(*sorted(names), how=how, rebuilt=rebuilt)

    lists = (*found.findings, *found.settled, *found.harmless)
    assert sorted(one.fact for one in lists) == sorted({one.fact for one in lists})
    assert all(one.effect == "explains" for one in found.harmless)
    assert (found.expected == "identical") == (not found.findings)


CLASSES = [
    (("sse4_1",), "SSE41"),
    (("avx", "avx2", "fma", "sse4_1"), "AVX2"),
    (("avx", "avx2", "avx512f"), "AVX2"),
    (("avx2", "avx512bw", "avx512dq", "avx512f", "avx512vl", "avx512_bf16"), "AVX512_CORE"),
    (("asimd",), ""),
]


@pytest.mark.parametrize(("flags", "name"), CLASSES)
def test_a_processor_has_the_class_whose_instructions_it_all_has(
    flags: tuple[str, ...], name: str
) -> None:
    assert vector_class(flags) == name


@pytest.mark.parametrize(
    ("value", "cap"),
    [
        ("", ""),
        ("ALL", ""),
        ("DEFAULT", ""),
        ("avx2", "AVX2"),
        ("AVX2_VNNI", "AVX2"),
        ("AVX512_CORE_AMX", "AVX512_CORE"),
        ("X", None),
    ],
)
def test_a_cap_is_read_by_its_class(value: str, cap: str | None) -> None:
    assert cap_of({"ONEDNN_MAX_CPU_ISA": value}) == cap
    assert cap_of({"DNNL_MAX_CPU_ISA": value}) == cap


def test_a_cap_lowers_and_never_raises() -> None:
    wide = CLASSES[3][0]

    assert capped_class(wide, "AVX2") == "AVX2"
    assert capped_class(("avx",), "AVX2") == "AVX"
    assert capped_class(wide, "") == "AVX512_CORE"
    assert capped_class(wide, None) == ""
