"""Differences between two models and how they were trained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.model_diff import model_settings

FITS = "description.fits"
FIT = f"{FITS}.0"
LAYERS = f"{FIT}.architecture.config.layers"


def found(changes: dict[str, Any], original: dict[str, Any] | None = None) -> tuple[Finding, ...]:
    recorded = changed(full_manifest(), original or {})
    return tuple(model_settings(recorded, rerun_manifest(changes)))


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, **config}}


@pytest.mark.parametrize(
    ("path", "value", "fact", "effect"),
    [
        ("optimizer.config.learning_rate", 0.01, "learning_rate of optimizer", "changes bits"),
        ("optimizer.class_name", "SGD", "optimizer", "changes bits"),
        ("loss.loss", "mae", "loss", "changes bits"),
        ("metrics.metrics", ["mae"], "metrics[0]", "explains"),
        ("arguments.batch_size", 8, "batch_size of fit", "may change bits"),
        ("arguments.epochs", 9, "epochs of fit", "explains"),
        ("jit_compile", True, "jit_compile of the model", "changes bits"),
        ("dtype_policy", "mixed_float16", "dtype policy of the model", "changes bits"),
        ("architecture.config.layers.0.config.units", 5, "units of layer dense", "changes bits"),
    ],
)
def test_a_setting_that_differs_is_named_with_its_effect(
    path: str, value: object, fact: str, effect: str
) -> None:
    (finding,) = found({f"{FIT}.{path}": value})

    assert (finding.fact, finding.effect) == (fact, effect)


def test_a_setting_is_cured_by_the_originals_value_or_by_leaving_it_out() -> None:
    (other,) = found({f"{FIT}.optimizer.config.learning_rate": 0.01})
    (more,) = found({f"{FIT}.arguments.shuffle": False})

    assert other.cure == "set it to 0.001"
    assert (more.original, more.cure) == ("not set", "leave it out")


def test_the_name_of_a_layer_is_no_difference() -> None:
    assert found({f"{LAYERS}.0.config.name": "dense_7", f"{FIT}.optimizer.config.name": "a"}) == ()


@pytest.mark.parametrize(
    ("layers", "place", "here"),
    [
        ([layer("Conv2D", "conv")], 1, "Conv2D conv"),
        ([], 1, "no more layers"),
    ],
)
def test_only_the_first_layer_of_another_kind_is_named(
    layers: list[dict[str, Any]], place: int, here: str
) -> None:
    (finding,) = found({LAYERS: layers})

    assert finding.fact == f"layer {place} of the model"
    assert (finding.original, finding.here) == ("Dense dense", here)


def test_a_part_that_one_run_could_not_record_may_change_bits() -> None:
    (finding,) = found({f"{FIT}.loss": absent("a custom loss")})

    assert finding.fact == "settings of the loss"
    assert (finding.here, finding.effect) == ("not known (a custom loss)", "may change bits")


def test_more_than_twelve_settings_are_counted_in_one_finding() -> None:
    arguments = {f"option_{number:02}": number for number in range(20)}

    *listed, rest = found({f"{FIT}.arguments": {"batch_size": 32, "epochs": 3, **arguments}})

    assert len(listed) == 12
    assert rest.sentence == (
        "8 more settings of the model differ: option_12 of fit, option_13 of fit, option_14 of fit"
    )


def test_of_several_fits_each_finding_names_its_fit_and_a_missing_one_is_found() -> None:
    fit = full_manifest().model_dump(mode="json")["description"]["fits"][0]
    second = {**fit, "fit": 2, "dtype_policy": "float64"}

    (other,) = found({FITS: [fit, second]}, {FITS: [fit, {**second, "dtype_policy": "float32"}]})
    (fewer,) = found({}, {FITS: [fit, second]})

    assert other.fact == "dtype policy of the model (fit 2)"
    assert (fewer.original, fewer.here, fewer.effect) == ("2", "1", "may change bits")


def test_a_record_from_before_models_were_recorded_is_not_compared() -> None:
    document = full_manifest().model_dump(mode="json")
    del document["description"]["fits"]
    older = type(full_manifest()).model_validate(document, strict=False)

    assert tuple(model_settings(older, rerun_manifest({f"{FIT}.jit_compile": True}))) == ()
