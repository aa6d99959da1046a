from __future__ import annotations

import copy
import importlib
import inspect
from types import ModuleType
from typing import Any

import keras as keras_library
import pytest
import tensorflow

from wandb_repro.state.creation import watch_keras, watch_tensorflow, watch_torch
from wandb_repro.state.registry import Kind, Registry

keras: Any = keras_library
tf: Any = tensorflow
_TABLES = "tensorflow.python.ops.lookup_ops"
_VARIABLES = "tensorflow.python.ops.resource_variable_ops"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Watch constructors for one test, and put the real ones back."""
    tables, variables = map(importlib.import_module, (_TABLES, _VARIABLES))
    kinds: list[Any] = [tables.LookupInterface, variables.BaseResourceVariable]
    kinds += [keras.optimizers.Optimizer, keras.metrics.Metric]
    monkeypatch.setattr(keras.Model, "__new__", keras.Model.__new__)
    for kind in kinds:
        monkeypatch.setattr(kind, "__init__", kind.__init__)
    registry = Registry()
    watch_keras(registry, keras)
    watch_tensorflow(registry, tf)
    return registry


def number(registry: Registry, kind: Kind) -> int:
    return len(registry.alive(kind))


def test_every_way_to_make_a_model_adds_it_once(registry: Registry) -> None:
    made = keras.Input((2,))

    class Own(keras.Model):  # pyright: ignore[reportUntypedBaseClass]
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            self.dense = keras.layers.Dense(1)

    kept = [
        keras.Sequential([keras.layers.Dense(1)]),
        keras.Model(made, keras.layers.Dense(1)(made)),
        Own(),
    ]
    kept.append(keras.models.clone_model(kept[1]))

    assert [known.thing for known in registry.alive("model")] == kept


def test_optimizers_have_their_count_of_steps(registry: Registry) -> None:
    optimizer = keras.optimizers.Adam()

    (known,) = registry.alive("optimizer")
    assert known.thing is optimizer
    assert known.entry.steps is optimizer.iterations


def test_loose_variables_metrics_and_tables_are_known(registry: Registry) -> None:
    kept = [
        tf.Variable(1.0),
        keras.metrics.Mean(),
        tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1),
    ]

    assert kept[0] in [known.thing for known in registry.alive("variable")]
    assert number(registry, "metric") == 1
    assert number(registry, "table") == 1


def test_what_was_made_before_is_found_by_a_search(registry: Registry) -> None:
    earlier = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="made_earlier")
    registry = Registry()
    watch_keras(registry, keras)

    registry.search()

    assert any(known.thing is earlier for known in registry.alive("model"))


def test_a_variable_whose_constructor_failed_is_not_found(registry: Registry) -> None:
    half_made: Any = object.__new__(tf.Variable(1.0).__class__)

    registry.search()

    assert all(known.thing is not half_made for known in registry.alive("variable"))


def test_constructors_look_as_before(registry: Registry) -> None:

    assert "learning_rate" in inspect.signature(keras.optimizers.Adam).parameters
    assert keras.Model.__new__.__name__ == "__new__"
    assert isinstance(keras.Model.from_config, type(keras.Sequential.from_config))


def test_a_module_with_the_name_of_pytorch_is_left_alone(registry: Registry) -> None:
    searches = len(registry.searches)
    watch_torch(registry, ModuleType("torch"))

    assert len(registry.searches) == searches


@pytest.mark.backend
def test_copies_of_modules_of_pytorch_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    torch: Any = pytest.importorskip("torch")
    for kind in (torch.nn.Module, torch.optim.Optimizer):
        for method in ("__init__", "__setstate__"):
            monkeypatch.setattr(kind, method, getattr(kind, method))
    monkeypatch.setattr(torch.Tensor, "backward", torch.Tensor.backward)
    registry = Registry()
    watch_torch(registry, torch)
    made = torch.nn.Linear(2, 1)

    copied = copy.deepcopy(made)

    assert [known.thing for known in registry.alive("module")] == [made, copied]
