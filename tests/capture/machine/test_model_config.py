from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from tests.support.fake_host import FakeHost, fake_module
from wandb_repro.capture.machine.model_config import probe_settings
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.training import FitSettings


def _serialize(value: object) -> object:
    return None if value is None else {"class_name": str(value)}


def _loss(name: str) -> str:
    return {"mse": "MeanSquaredError"}.get(name, name)


KERAS = fake_module(
    "keras",
    saving=SimpleNamespace(serialize_keras_object=_serialize),
    losses=SimpleNamespace(get=_loss),
)


class Model:
    """A compiled model, as far as it is asked."""

    compiled = True
    name = "digits"
    jit_compile = False
    optimizer = "Adam"
    loss = "mse"
    dtype_policy = SimpleNamespace(name="float32")
    layers: tuple[Any, ...] = ()
    config: ClassVar[dict[str, Any]] = {
        "layers": [],
        "compile_config": {"big": 1},
        "rate": float("inf"),
    }

    def get_config(self) -> dict[str, Any]:
        return self.config


def _settings(model: Any, **arguments: object) -> FitSettings:
    found = probe_settings(FakeHost(modules={"keras": KERAS}), model, arguments, 1)
    assert isinstance(found, FitSettings), found
    return found


def test_without_keras_nothing_is_asked() -> None:
    found = probe_settings(FakeHost(), Model(), {}, 1)
    assert found == Unavailable(unavailable="Keras was not imported")


def test_the_same_loss_has_one_name_and_what_no_bit_depends_on_is_left_out() -> None:
    found = _settings(Model(), batch_size=8, callbacks=[1])
    assert isinstance(found.loss, dict)
    assert found.loss["loss"] == {"class_name": "MeanSquaredError"}
    assert found.architecture == {
        "class_name": "Model",
        "config": {"layers": [], "rate": "inf"},
    }
    assert found.arguments == {"batch_size": 8}


def test_a_model_that_was_not_compiled_says_so() -> None:
    class Young(Model):
        compiled = False

    found = _settings(Young())
    for value in (found.optimizer, found.loss, found.metrics, found.jit_compile):
        assert value == Unavailable(unavailable="the model was not compiled")
    assert isinstance(found.arguments, Unavailable)


def test_a_large_constant_is_not_written_as_text() -> None:
    class Large(Model):
        layers = (SimpleNamespace(name="table", table=np.zeros(1 << 18)),)

    found = _settings(Large())
    assert "layer table holds a constant of 2,097,152 bytes" in str(found.architecture)


def test_a_long_list_is_recorded_by_its_length_and_digest() -> None:
    class Words(Model):
        config: ClassVar[dict[str, Any]] = {
            "layers": [],
            "vocabulary": [str(number) for number in range(300)],
        }

    found = _settings(Words())
    assert isinstance(found.architecture, dict)
    config: Any = found.architecture["config"]
    assert config["vocabulary"]["values"] == 300
    assert config["vocabulary"]["digest"].startswith("sha256:")
