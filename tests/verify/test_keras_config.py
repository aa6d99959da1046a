"""Keras' serialised objects in words."""

from __future__ import annotations

import pytest

from wandb_repro.manifest.canonical import JSON
from wandb_repro.verify.keras_config import config_text, simplify

ADAM: JSON = {
    "module": "keras.optimizers",
    "class_name": "Adam",
    "config": {"name": "adam", "epsilon": 1e-7, "amsgrad": False, "learning_rate": 0.001},
}


def test_an_object_becomes_its_kind_and_its_settings() -> None:
    assert simplify({"class_name": "Adam", "config": {"epsilon": 1}}) == {
        "kind": "Adam",
        "epsilon": 1,
    }


def test_a_function_is_its_name_and_a_policy_too() -> None:
    assert simplify({"class_name": "function", "config": "relu"}) == "relu"
    policy: JSON = {"class_name": "DTypePolicy", "config": {"name": "float32"}}
    assert simplify([policy]) == ["float32"]


def test_the_learning_rate_comes_first_and_what_is_off_is_left_out() -> None:
    assert config_text(ADAM) == "Adam(learning_rate=0.001, epsilon=1e-07)"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.0010000000474974513, "0.001"),
        ([], "none"),
        (["mse", "mae"], "mse, mae"),
        ({"class_name": "ReLU", "config": {}}, "ReLU"),
        ("mse", "mse"),
    ],
)
def test_settings_are_as_short_as_they_can_be(value: JSON, words: str) -> None:
    assert config_text(value) == words
