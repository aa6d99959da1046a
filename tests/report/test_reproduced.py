"""How often and where a run was reproduced."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, full_manifest, rerun_manifest
from wandb_repro.report.reproduced import attempt_of, place_of, reproduced_line


@pytest.mark.parametrize(
    ("attempts", "line"),
    [
        ([], "Reproduced in 0 of 0 reruns"),
        (["identical, same machine"], "Reproduced in 1 of 1 reruns (same machine)"),
        (["diverged, other GPU"], "Reproduced in 0 of 1 reruns"),
        (["inconclusive, same machine", "nonsense", ""], "Reproduced in 0 of 0 reruns"),
        (
            ["identical, other CPU", "equivalent, same machine", "identical, same machine"],
            "Reproduced in 3 of 3 reruns (same machine 2, other CPU 1)",
        ),
    ],
)
def test_only_verdicts_count_and_places_are_counted_if_there_are_several(
    attempts: list[str], line: str
) -> None:
    assert reproduced_line(attempts) == line


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, "same machine"),
        ({"description.machine.hostname": "elsewhere"}, "other machine"),
        ({"description.machine.hostname": absent("not permitted")}, "other machine"),
        ({"description.runtime.processor.model": "Other CPU"}, "other CPU"),
        ({"description.accelerator.gpus": absent("no NVML")}, "other GPU"),
    ],
)
def test_the_place_names_the_first_part_that_differs(changes: dict[str, Any], place: str) -> None:
    rerun = rerun_manifest(changes)

    assert place_of(full_manifest(), rerun) == place
    assert attempt_of("identical", full_manifest(), rerun) == f"identical, {place}"
