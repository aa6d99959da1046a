from __future__ import annotations

from typing import Any, cast

import keras
import tensorflow

from wandb_repro.state.returned import parts_of

tf: Any = cast("Any", tensorflow)
it: Any = cast("Any", keras)


def model() -> Any:
    return it.Sequential([it.Input((2,)), it.layers.Dense(1)])


def test_what_holds_no_state_has_no_parts() -> None:
    for value in (None, 0.5, "a model", [1, {"a": "b"}], object()):
        assert parts_of(value) == []


def test_models_and_optimizers_are_found_in_lists_and_dicts_each_once() -> None:
    one, two, optimizer = model(), model(), it.optimizers.Adam()
    found = parts_of({"models": [one, (two, one)], "optimizer": optimizer, "loss": 0.5})
    for part in (one, two, optimizer):
        assert sum(each is part for each in found) == 1


def test_variables_and_optimizers_that_no_layer_tracks_are_found_in_attributes() -> None:
    class Holding(it.Model):  # pyright: ignore[reportUntypedBaseClass]
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.counter = tf.Variable(1.0)
            self.optimizers = [it.optimizers.SGD(), it.optimizers.Adam()]

    holding: Any = Holding()
    found = parts_of(holding)
    for part in (holding, holding.counter, *holding.optimizers):
        assert any(each is part for each in found)


def test_a_circle_of_lists_ends() -> None:
    circle: list[object] = [model()]
    circle.append(circle)
    assert len(parts_of(circle)) >= 1
