"""The record of the machine: exact types, and facts that are missing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator, Gpu, Processor, Runtime


def description() -> dict[str, Any]:
    return full_manifest().model_dump()["description"]


def test_a_machine_without_a_gpu_says_why_and_lists_none() -> None:
    document = {**description()["accelerator"], "gpus": {"unavailable": "no NVML"}}

    gpus = Accelerator.model_validate(document).gpus

    assert gpus == Unavailable(unavailable="no NVML")


@pytest.mark.parametrize(
    ("field", "value"),
    [("logical_cores", "2"), ("logical_cores", 2.0), ("architecture", None), ("caches", "L1d")],
)
def test_a_value_of_another_type_is_refused_not_converted(field: str, value: object) -> None:
    document = {**description()["runtime"]["processor"], field: value}

    with pytest.raises(ValidationError, match=field):
        Processor.model_validate(document)


def test_a_quota_of_cores_may_be_a_fraction() -> None:
    document = {**description()["runtime"]["processor"], "cgroup_cores": 0.5}

    assert Processor.model_validate(document).cgroup_cores == 0.5


def test_a_field_of_a_newer_version_is_kept() -> None:
    document = {**description()["accelerator"]["gpus"][0], "power_watts": 700}

    assert Gpu.model_validate(document).model_dump() == document


def test_a_runtime_may_lack_its_framework_but_not_its_processor() -> None:
    document = {**description()["runtime"], "framework": {"unavailable": "not imported"}}

    assert str(Runtime.model_validate(document).framework) == "not imported"
    with pytest.raises(ValidationError, match="processor"):
        Runtime.model_validate({**document, "processor": {"unavailable": "no /proc"}})
