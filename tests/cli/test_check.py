"""``check``: what is foreseen of a rerun here, before it is run. What really happens is in
``tests/workflows/test_check.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.processors import (
    MODEL,
    WITH_NETWORKS,
    WITHOUT_NETWORKS,
    use_processor,
)
from tests.support.recorded import Ask, Project, with_manifest
from wandb_repro.manifest.machine import Runtime
from wandb_repro.verify.cpu_instructions import onednn_is_on

PROCESSOR = "description.runtime.processor"


@pytest.fixture
def project(numbers: Project, tmp_path: Path) -> Project:
    """Give a copy whose record a test may change."""
    return numbers.copy(tmp_path / "project")


def facts(findings: list[dict[str, Any]]) -> list[str]:
    return [one["fact"] for one in findings]


def test_on_the_machine_that_recorded_it_a_rerun_is_expected_to_be_identical(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = ask("check", numbers.run_folder, cwd=tmp_path)

    assert answer.code == 0, answer.out
    assert answer.text.startswith("bit-identical expected")
    assert max(map(len, answer.out.splitlines())) <= 80
    assert list(tmp_path.iterdir()) == []


def test_switches_of_this_shell_are_settled_by_rerun_and_stand_in_the_way_by_hand(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    described = numbers.manifest.model_dump()["description"]["runtime"]
    other = "0" if onednn_is_on(described["processor"]["instruction_sets"], {}) else "1"
    shell = {"TF_NUM_INTRAOP_THREADS": "7", "TF_ENABLE_ONEDNN_OPTS": other}
    words = ("check", numbers.run_folder, "--env", "here", "--json")

    by_rerun = ask(*words, cwd=tmp_path, **shell)
    by_hand = ask(*words, "--by-hand", cwd=tmp_path, **shell)

    assert (by_rerun.code, by_rerun.data["expected"]) == (0, "identical")
    assert set(facts(by_rerun.data["settled"])) == {"intra-op threads", "TF_ENABLE_ONEDNN_OPTS"}
    assert (by_hand.code, by_hand.data["expected"]) == (1, "different")
    assert set(facts(by_hand.data["findings"])) == {"intra-op threads", "TF_ENABLE_ONEDNN_OPTS"}
    width = described["intra_op_threads"]
    cures = {one["cure"] for one in by_hand.data["findings"]}
    assert cures == {f"set TF_NUM_INTRAOP_THREADS={width}", "unset TF_ENABLE_ONEDNN_OPTS"}


def test_what_changes_no_bits_is_named_and_stands_in_no_way(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    shell = {"TF_NUM_INTEROP_THREADS": "7", "PYTHONHASHSEED": "3", "OMP_NUM_THREADS": "1"}

    answer = ask(
        "check", numbers.run_folder, "--by-hand", "--json", cwd=tmp_path, TZ="Asia/Tokyo", **shell
    )

    assert (answer.code, answer.data["findings"]) == (0, [])
    assert set(facts(answer.data["harmless"])) == set(shell)


@pytest.mark.parametrize(
    ("here", "further"),
    [
        pytest.param(WITHOUT_NETWORKS, [], id="oneDNN off by default"),
        pytest.param(WITH_NETWORKS, ["TF_ENABLE_ONEDNN_OPTS=0"], id="oneDNN on by default"),
    ],
)
def test_a_newer_processor_is_to_be_capped_and_then_may_do(
    here: tuple[str, ...],
    further: list[str],
    project: Project,
    tmp_path: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_processor(monkeypatch, here)
    older = {f"{PROCESSOR}.model": MODEL, f"{PROCESSOR}.instruction_sets": ["avx", "sse4_1"]}
    with_manifest(project, older)
    words = ("check", project.run_folder, "--env", "here", "--json")
    switches = ["ONEDNN_MAX_CPU_ISA=AVX", *further]

    as_it_is = ask(*words, cwd=tmp_path)
    capped = ask(*words, *(f"--set={switch}" for switch in switches), cwd=tmp_path)

    assert as_it_is.data["expected"] == "different"
    cures = [finding["cure"] for finding in as_it_is.data["findings"]]
    assert len(cures) == len(switches)
    assert all(cure.endswith(switch) for cure, switch in zip(cures, switches, strict=True))
    assert capped.data["expected"] == "perhaps"
    assert [one["effect"] for one in capped.data["findings"]] == ["may change bits"]


def test_an_older_processor_cannot_be_mended_here(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    runtime = project.manifest.description.runtime
    assert isinstance(runtime, Runtime)
    flags = runtime.processor.instruction_sets
    assert isinstance(flags, tuple)
    wide = ["avx512f", "avx512bw", "avx512dq", "avx512vl", "avx999"]
    with_manifest(project, {f"{PROCESSOR}.instruction_sets": sorted({*flags, *wide})})

    answer = ask("check", project.run_folder, "--env", "here", "--json", cwd=tmp_path)

    assert answer.code == 1
    assert facts(answer.data["findings"]) == ["instruction sets"]


def test_other_packages_are_settled_by_rebuilding_and_not_by_what_is_here(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    packages = project.manifest.model_dump()["execution"]["packages"]["distributions"]
    place = next(at for at, one in enumerate(packages) if one["name"] == "keras")
    path = f"execution.packages.distributions.{place}.version"
    with_manifest(project, {path: "3.14.0"})

    rebuilt = ask("check", project.run_folder, "--json", cwd=tmp_path)
    here = ask("check", project.run_folder, "--env", "here", "--json", cwd=tmp_path)

    assert (rebuilt.code, facts(rebuilt.data["settled"])) == (0, ["keras"])
    assert (here.code, facts(here.data["findings"])) == (1, ["keras"])
    assert here.data["findings"][0]["cure"] == "install keras==3.14.0"


def test_a_file_that_was_read_and_is_not_here_or_not_the_same_is_named(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    data = tmp_path / "data.npz"
    known = {"path": "../data.npz", "absolute": str(data), "size_bytes": 4}
    with_manifest(project, {"description.inputs": [known]})
    words = ("check", project.run_folder, "--env", "here", "--json")

    lost = ask(*words, cwd=project.folder)
    data.write_bytes(b"12345")
    other = ask(*words, cwd=project.folder)
    data.write_bytes(b"1234")
    there = ask(*words, cwd=project.folder)

    assert (lost.code, lost.data["findings"][0]["cure"]) == (1, "put it where it was")
    assert "has 5 bytes here and had 4" in other.data["findings"][0]["sentence"]
    assert there.code == 0
    hashed = {**known, "digest": "sha256:00"}
    with_manifest(project, {"description.inputs": [hashed]})
    assert "has other content" in ask(*words, cwd=project.folder).data["findings"][0]["sentence"]


def test_what_rerun_would_refuse_is_said_with_its_hint(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    project.capsule.bundle.unlink()

    answer = ask("check", project.run_folder, "--env", "here", cwd=tmp_path)

    assert answer.code == 1
    assert "The run's source tree is not here" in answer.text
    assert "→ Fetch the run again" in answer.text


def test_without_digests_or_a_known_processor_it_cannot_be_told(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    with_manifest(project, {"description.runtime": {"unavailable": "the probe failed"}})
    project.capsule.trail.unlink()

    answer = ask("check", project.run_folder, "--env", "here", "--json", cwd=tmp_path)

    assert (answer.code, answer.data["expected"]) == (3, "unknown")
    assert len(answer.data["unknown"]) == 2
    assert "cannot tell" in ask("check", project.run_folder, "--env", "here", cwd=tmp_path).text


@pytest.mark.parametrize(
    "words",
    [
        ("--set", "LD_PRELOAD=x"),
        ("--set", "XLA_FLAGS"),
        ("--set", "TF_NUM_INTRAOP_THREADS=2"),
        ("--seed", "3"),
        ("--deterministic",),
        ("--threads", "0"),
        ("--env", "no-such-python"),
    ],
)
def test_what_cannot_be_meant_is_wrong_use(
    words: tuple[str, ...], numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    assert ask("check", numbers.run_folder, *words, cwd=tmp_path).code == 2


def test_nothing_of_the_capsule_is_started_by_looking(
    project: Project, tmp_path: Path, ask: Ask
) -> None:
    mark = tmp_path / "started"
    evil = tmp_path / "python3"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\n")
    evil.chmod(0o755)
    with_manifest(project, {"execution.command.interpreter_flags": ["-X", "importtime"]})

    assert ask("check", project.run_folder, "--env", "here", cwd=tmp_path).code == 0
    assert not mark.exists()
    assert project.reruns() == []
