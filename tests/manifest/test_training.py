"""The record of a training: configs and reasons, seeds and switches."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.records import full_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.training import Determinism, FitSettings, Seed

REASON = Unavailable(unavailable="Keras cannot serialise it")


def fit_document() -> dict[str, Any]:
    return full_manifest().model_dump()["description"]["fits"][0]


@pytest.mark.parametrize("part", ["optimizer", "loss", "metrics", "architecture", "arguments"])
def test_a_part_that_keras_cannot_serialise_is_read_back_as_the_reason(part: str) -> None:
    settings = FitSettings.model_validate({**fit_document(), part: REASON})

    again = FitSettings.model_validate_json(settings.model_dump_json())

    assert getattr(again, part) == REASON
    assert again == settings


@pytest.mark.parametrize(
    "config", [{}, {"unavailable": "gpu-3", "lr": 0.1}, {"unavailable": "x", "kind": "y"}]
)
def test_any_other_object_is_a_config(config: dict[str, object]) -> None:
    settings = FitSettings.model_validate({**fit_document(), "arguments": config})

    assert settings.arguments == config


def test_a_reason_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="arguments"):
        FitSettings.model_validate({**fit_document(), "arguments": {"unavailable": 3}})


def test_a_seed_is_text_since_large_integers_are_rounded_elsewhere() -> None:
    seed = Seed(generator="keras", value=str(2**63), set_by="the script", when="before import")

    assert seed.value == "9223372036854775808"
    with pytest.raises(ValidationError, match="value"):
        Seed.model_validate({**seed.model_dump(), "value": 7})


@pytest.mark.parametrize(("asked", "taken"), [(None, True), (False, True), (1, False)])
def test_determinism_is_on_off_or_left_alone(asked: object, taken: bool) -> None:
    document = {"asked": asked, "switches": ()}

    if taken:
        assert Determinism.model_validate(document).asked is asked
    else:
        with pytest.raises(ValidationError, match="asked"):
            Determinism.model_validate(document)
