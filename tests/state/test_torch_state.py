"""PyTorch's modules and optimizers; skipped where PyTorch is not installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wandb_repro.state import torch_state

pytestmark = pytest.mark.backend
torch: Any = pytest.importorskip("torch")


def network() -> Any:
    torch.manual_seed(1)
    nn = torch.nn
    return nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def stepped(module: Any, optimizer: Any) -> None:
    optimizer.zero_grad()
    module(torch.ones(5, 4)).sum().backward()
    optimizer.step()


def test_a_module_is_read_in_the_order_of_its_state_dict() -> None:
    module = network()
    module[0].weight.requires_grad = False
    found = torch_state.read_module(module)
    trained = [it.label for it in found if it.group == "trainable"]
    fixed = [it.label for it in found if it.group == "non_trainable"]
    order = list(module.state_dict())
    assert [it for it in order if it in trained] == trained
    assert [it for it in order if it in fixed] == fixed
    assert set(trained) | set(fixed) == set(order)
    assert "0.weight" in fixed
    assert "1.running_mean" in fixed
    assert [it.group for it in found] == ["trainable"] * len(trained) + ["non_trainable"] * 4
    values = {it.label: np.asarray(it.value) for it in found}
    assert values["2.bias"].tolist() == module.state_dict()["2.bias"].tolist()


def test_a_shared_parameter_and_a_buffer_that_is_not_saved_are_read_once() -> None:
    module = network()
    module[2].weight = module[2].weight
    module.register_buffer("mask", torch.ones(2), persistent=False)
    module.again = module[0]
    labels = [it.label for it in torch_state.read_module(module)]
    assert labels.count("mask") == 1
    assert len(labels) == len(set(labels)) == 10


def test_an_optimizer_is_read_with_its_slots_and_the_numbers_of_its_groups() -> None:
    module = network()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.25)
    before = {it.label: it for it in torch_state.read_optimizer(optimizer)}
    assert float(np.asarray(before["Adam/group 0/lr"].value)) == 0.25
    assert not any("exp_avg" in label for label in before)
    assert not optimizer.state  # nothing was added to it
    stepped(module, optimizer)
    names = torch_state.names_of([module])
    found = torch_state.read_optimizer(optimizer, names)
    labels = [it.label for it in found]
    assert "Adam/0.weight/exp_avg" in labels
    assert "Adam/group 0/betas[1]" in labels
    assert {it.group for it in found} == {"optimizer"}
    assert "Adam/parameter 0/step" in [it.label for it in torch_state.read_optimizer(optimizer)]


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float8_e4m3fn", "int32", "bool"])
def test_each_dtype_keeps_its_values(kind: str) -> None:
    tensor = torch.tensor([0.0, 1.0, 1.0]).to(getattr(torch, kind))
    assert np.asarray(torch_state.on_host(tensor)).astype("float64").tolist() == [0.0, 1.0, 1.0]


def test_a_lazy_module_is_not_built_before_its_first_step() -> None:
    module = torch.nn.LazyLinear(3)
    assert not torch_state.is_built(module)
    module(torch.ones(2, 4))
    assert torch_state.is_built(module)


def test_a_scheduler_is_read_by_its_state_dict() -> None:
    optimizer = torch.optim.SGD(network().parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3)
    labels = [it.label for it in torch_state.read_state_dict(scheduler.state_dict(), "StepLR")]
    assert "StepLR/last_epoch" in labels


def test_a_view_that_is_not_in_order_is_read() -> None:
    tensor = torch.arange(6.0).reshape(2, 3).T
    assert np.asarray(torch_state.on_host(tensor)).tolist() == tensor.tolist()


def test_parameters_of_an_optimizer_are_read_where_no_module_has_them() -> None:
    module = network()
    own = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([own, *module.parameters()], lr=0.1)
    known = torch_state.names_of([module])

    (found,) = torch_state.read_parameters(optimizer, without=known)

    assert (found.group, found.label) == ("trainable", "parameter 0")
    assert np.asarray(found.value).tolist() == [1.0, 1.0]
