from __future__ import annotations

import json
from typing import Any, cast

import keras
import pytest

from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.loop_config import LoopModels, probe_loop
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.training import FitSettings

library: Any = cast("Any", keras)


def model(name: str) -> Any:
    return library.Sequential([library.Input((3,)), library.layers.Dense(2)], name=name)


def probed(models: tuple[object, ...] = (), optimizers: tuple[object, ...] = ()) -> FitSettings:
    return probe_loop(Host(), LoopModels(models, optimizers), 1)


def test_one_model_and_one_optimizer_are_described_as_those_of_a_fit() -> None:
    found = probed((model("net"),), (library.optimizers.Adam(0.25),))
    assert isinstance(found.architecture, dict)
    assert found.architecture["class_name"] == "Sequential"
    assert isinstance(found.optimizer, dict)
    assert cast("Any", found.optimizer["config"])["learning_rate"] == 0.25
    assert found.dtype_policy == "float32"
    assert isinstance(found.loss, Unavailable)


def test_several_are_described_in_their_order() -> None:
    sgd = library.optimizers.SGD
    found = probed((model("one"), model("two")), (sgd(0.5), sgd(0.25)))
    assert isinstance(found.architecture, dict)
    layers = cast("Any", found.architecture["config"])["layers"]
    assert [layer["class_name"] for layer in layers] == ["Sequential", "Sequential"]
    assert isinstance(found.optimizer, dict)
    listed = cast("Any", found.optimizer["optimizers"])
    assert [each["config"]["learning_rate"] for each in listed] == [0.5, 0.25]


def test_nothing_and_what_does_not_describe_itself_have_their_reason_or_their_type() -> None:
    found = probed()
    assert isinstance(found.architecture, Unavailable)
    assert isinstance(found.optimizer, Unavailable)
    assert isinstance(found.dtype_policy, Unavailable)
    assert probed(({"w": 1},)).architecture == {"class_name": "dict", "config": {}}


@pytest.mark.backend
def test_a_module_of_torch_is_described_by_its_parts() -> None:
    torch: Any = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    found = probed((net,), (torch.optim.SGD(net.parameters(), lr=0.5),))
    assert "in_features=4, out_features=3" in json.dumps(found.architecture)
    assert isinstance(found.optimizer, dict)
    assert cast("Any", found.optimizer["config"])["lr"] == 0.5
