from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import tensorflow

from wandb_repro.recording.loop.step_values import is_traced, kept_values, read_values
from wandb_repro.recording.messages import forget

tf: Any = cast("Any", tensorflow)


def test_numbers_are_read_and_the_rest_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    forget()
    values = {"a": 1, "b": tf.constant(0.5), "c": "x", "d": None}
    read_values("watch.epoch", values)
    read = read_values("watch.epoch", values)
    assert read == {"a": 1.0, "b": 0.5}
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "wandb_repro: warning: watch.epoch(c=...): a str that is not a single number is not "
        "recorded; pass its mean, or another number"
    ]


def test_a_value_of_a_step_is_not_read_yet() -> None:
    value = tf.constant(0.5)
    assert kept_values("watch.step", {"loss": value})["loss"] is value


def test_a_traced_function_is_told_from_a_running_one() -> None:
    seen: list[bool] = []

    @tf.function
    def step() -> None:
        seen.append(is_traced(None, {}))

    step()
    assert seen == [True]
    assert not is_traced({"w": np.ones(1)}, {"loss": tf.constant(1.0)})


@pytest.mark.backend
def test_a_function_that_jax_traces_is_seen_by_its_values() -> None:
    jax: Any = pytest.importorskip("jax")
    seen: list[bool] = []

    def step(value: Any) -> Any:
        seen.extend((is_traced(None, {"loss": value}), is_traced([value], {})))
        return value

    jax.jit(step)(1.0)
    assert seen == [True, True]
