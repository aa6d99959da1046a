from __future__ import annotations

import subprocess
import sys
from typing import Any, cast

import numpy as np
import tensorflow

from wandb_repro.state.tensorflow_state import grouped, owns, read_module, reading

tf: Any = cast("Any", tensorflow)


def module() -> Any:
    class Line(tf.Module):  # pyright: ignore[reportUntypedBaseClass]
        def __init__(self) -> None:
            super().__init__(name="line")  # pyright: ignore[reportUnknownMemberType]
            self.count = tf.Variable(3, trainable=False, name="count")
            self.slope = tf.Variable([1.0, 2.0], name="slope")

    return Line()


def test_a_module_is_read_with_what_is_trained_first() -> None:
    found = read_module(module())
    assert [(it.group, it.label) for it in found] == [
        ("trainable", "slope"),
        ("non_trainable", "count"),
    ]
    assert [np.asarray(it.value).tolist() for it in found] == [[1.0, 2.0], 3]


def test_a_variable_is_read_alone() -> None:
    (only,) = read_module(tf.Variable([1.0], name="w"))
    assert (only.group, only.label) == ("trainable", "w")


def test_what_was_read_stays_when_the_variable_is_assigned() -> None:
    variable = tf.Variable([1.0, 2.0])
    (array,) = reading([variable])()
    variable.assign([5.0, 6.0])
    assert np.asarray(array).tolist() == [1.0, 2.0]


def test_an_object_with_variables_of_tensorflow_alone_is_an_optimizer() -> None:
    class Momentum:
        def __init__(self, *variables: object) -> None:
            self.variables = list(variables)

    it = Momentum(tf.Variable(0.5, name="rate"))
    assert owns(it)
    assert [(group, label) for group, label, _ in grouped(it)] == [("optimizer", "rate")]
    assert not owns(Momentum())
    assert not owns(Momentum(1.0))
    assert not owns([1.0])


def test_variables_on_several_devices_are_read_in_their_order() -> None:
    # A process can divide its processor only before TensorFlow uses it.
    text = """
import tensorflow as tf
from wandb_repro.state.tensorflow_state import reading
part = tf.config.LogicalDeviceConfiguration()
(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [part, part])
def variable(device, value):
    with tf.device(device):
        return tf.Variable(value)
made = [variable(f"CPU:{n % 2}", [float(n), 0.5]) for n in range(5)]
assert len({each.device for each in made}) == 2
values = [value.tolist() for value in reading(made)()]
assert values == [[float(n), 0.5] for n in range(5)], values
"""
    subprocess.run([sys.executable, "-c", text], check=True)
