from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow

from wandb_repro.errors import UsageError
from wandb_repro.state.watched import Watched, in_order

library: Any = cast("Any", keras)
tf: Any = cast("Any", tensorflow)


def dense(name: str, units: int = 2) -> Any:
    return library.Sequential([library.Input((3,)), library.layers.Dense(units)], name=name)


def test_two_models_and_their_optimizer_are_one_list_by_group() -> None:
    one, two = dense("generator"), dense("critic")
    optimizer = library.optimizers.SGD(momentum=0.9)
    optimizer.build(one.trainable_variables)
    found = Watched([one, two], [optimizer]).read()
    assert [it.group for it in found] == ["trainable"] * 4 + ["optimizer"] * 4
    labels = [it.label for it in found]
    assert labels[0].startswith("generator/dense")
    assert labels[2].startswith("critic/dense")
    assert not any("generator/generator" in label for label in labels)


def test_a_variable_in_two_models_is_read_once() -> None:
    model = dense("net")
    model.compile("sgd", "mse")
    both = Watched([model, model.layers[0]], [model.optimizer]).read()
    alone = Watched([model]).read()
    assert [np.asarray(it.value).tolist() for it in both] == [
        np.asarray(it.value).tolist() for it in alone
    ]


def test_a_model_that_grows_is_read_whole_at_the_next_search() -> None:
    module = tf.Module(name="net")
    module.first = tf.Variable(1.0)
    watched = Watched([module])
    assert len(watched.read()) == 1
    module.second = tf.Variable(2.0)
    assert len(watched.read(anew=False)) == 1
    assert len(watched.read(anew=True)) == 2


def test_plain_variables_metrics_and_lists_of_them_are_read() -> None:
    mean = library.metrics.Mean()
    watched = Watched([[tf.Variable(1.0), tf.Variable([2.0])], mean, library.Variable(3.0)])
    assert len(watched.read()) == 2 + 2 + 1


def test_pytrees_are_read_as_state() -> None:
    found = Watched([{"w": np.ones(2)}, [np.zeros(1)]]).read()
    assert [(it.group, it.label) for it in found] == [("state", "dict['w']"), ("state", "list[0]")]


def test_a_model_without_its_weights_is_not_built() -> None:
    model = library.Sequential([library.layers.Dense(2)])
    watched = Watched([model, tf.Module()])
    assert not watched.is_built()
    assert not Watched([tf.Module()]).is_built()
    model(np.ones((1, 3), "float32"))
    assert Watched([model]).is_built()


def test_nothing_is_false_and_read_as_nothing() -> None:
    assert not Watched([])
    assert Watched([]).read() == []


@pytest.mark.parametrize("value", ["model.keras", 3, None, print, [], {"a": 1}], ids=str)
def test_what_cannot_be_read_is_refused_at_once(value: object) -> None:
    with pytest.raises(UsageError, match="watch cannot read a"):
        Watched([value])


def test_the_order_of_groups_is_kept() -> None:
    found = Watched([dense("net"), {"w": np.ones(1)}]).read()
    assert in_order(reversed(found))[-1].group == "state"


@pytest.mark.backend
def test_models_of_torch_and_their_optimizers_are_read_with_names() -> None:
    torch: Any = pytest.importorskip("torch")
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD([*one.parameters(), *two.parameters()], lr=0.1, momentum=0.9)
    (one(torch.ones(1, 2)).sum() + two(torch.ones(1, 2)).sum()).backward()
    optimizer.step()
    labels = [it.label for it in Watched([one, two], [optimizer]).read()]
    assert labels[:4] == ["Linear/weight", "Linear/bias", "Linear 2/weight", "Linear 2/bias"]
    assert "SGD/Linear 2/bias/momentum_buffer" in labels
