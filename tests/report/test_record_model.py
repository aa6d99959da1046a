"""A model and its training in rows."""

from __future__ import annotations

from typing import Any

from tests.support.records import absent, changed, full_manifest
from wandb_repro.report.record_model import model_rows

FITS = "description.fits"
FIT = f"{FITS}.0"


def rows_of(changes: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    return list(model_rows(changed(full_manifest(), changes or {})))


def test_each_part_of_a_fit_is_a_row() -> None:
    assert rows_of() == [
        ("layers", "Sequential, 1 layer: 1 Dense"),
        ("optimizer", "Adam(learning_rate=0.001)"),
        ("loss", "mse"),
        ("metrics", "accuracy"),
        ("precision", "float32, jit_compile=False"),
        ("fit", "batch_size=32, epochs=3"),
    ]


def test_layers_are_counted_by_kind_those_of_inner_models_too() -> None:
    dense = {"class_name": "Dense", "config": {"units": 1}}
    inner = {"class_name": "Sequential", "config": {"layers": [dense, {"class_name": "Dropout"}]}}

    rows = dict(rows_of({f"{FIT}.architecture.config.layers": [dense, inner, dense]}))

    assert rows["layers"] == "Sequential, 4 layers: 3 Dense, 1 Dropout"


def test_a_part_that_was_not_recorded_says_why() -> None:
    lost = absent("a custom class")

    rows = dict(rows_of({f"{FIT}.optimizer": lost, f"{FIT}.loss.loss": lost}))

    assert rows["optimizer"] == rows["loss"] == "not recorded: a custom class"


def test_a_layer_that_was_not_recorded_is_counted_and_named() -> None:
    lost = {"class_name": "Mine", "config": absent("no get_config")}

    rows = dict(rows_of({f"{FIT}.architecture.config.layers": [lost]}))

    assert rows["layers"] == "Sequential, 1 layer: 1 Mine; partly not recorded: no get_config"


def test_several_fits_are_numbered() -> None:
    fit = full_manifest().model_dump(mode="json")["description"]["fits"][0]

    rows = rows_of({FITS: [fit, {**fit, "fit": 4}]})

    assert [value for name, value in rows if name == "fit" and value.isdecimal()] == ["1", "4"]


def test_without_any_fit_there_is_one_row_with_the_reason() -> None:
    why = absent("training has not begun")

    assert rows_of({FITS: why}) == [("model", "not recorded: training has not begun")]


def test_a_record_from_before_models_were_recorded_has_no_rows() -> None:
    document = full_manifest().model_dump()
    del document["description"]["fits"]

    assert list(model_rows(type(full_manifest()).model_validate(document))) == []
