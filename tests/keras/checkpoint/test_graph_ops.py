from __future__ import annotations

from typing import Any

import numpy
import tensorflow

from wandb_repro.keras.checkpoint.graph_ops import in_pipeline, in_step

tf: Any = tensorflow
np: Any = numpy


def dataset() -> Any:
    return tf.data.Dataset.range(4)


def noisy(x: Any) -> Any:
    return tf.random.normal(()) + tf.cast(x, "float32")  # the line that is named


def test_a_random_operation_in_a_pipeline_is_found_with_the_line_of_the_script() -> None:
    (found,) = in_pipeline(dataset().map(noisy).batch(2))
    line = noisy.__code__.co_firstlineno + 1
    assert (found.kind, found.operation) == ("random", "RandomStandardNormal")
    assert found.where == f"{__file__}:{line}"


def test_a_pipeline_without_functions_or_with_stateless_ones_has_none() -> None:
    assert in_pipeline(dataset().shuffle(4).batch(2)) == []
    seeds = tf.data.Dataset.random(seed=1).batch(2)
    both = tf.data.Dataset.zip(dataset(), seeds)

    def stateless(x: Any, seed: Any) -> Any:
        return tf.random.stateless_normal((), seed) + tf.cast(x, "float32")

    assert in_pipeline(both.map(stateless)) == []


def test_a_nested_function_is_searched_too() -> None:
    def inner(x: Any) -> Any:
        return tf.data.Dataset.from_tensors(x).map(noisy)

    assert [it.operation for it in in_pipeline(dataset().flat_map(inner))] == [
        "RandomStandardNormal"
    ]


def test_python_in_a_pipeline_is_found_with_its_function() -> None:
    def of_python(x: Any) -> Any:
        return x + 1

    def step(x: Any) -> Any:
        return tf.numpy_function(of_python, [x], tf.int64)

    (found,) = in_pipeline(dataset().map(step))
    assert found.kind == "python"
    assert found.function is of_python


def test_a_generator_behind_a_dataset_is_found() -> None:
    def rows() -> Any:
        yield 1

    data = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((), tf.int32))
    assert rows in [it.function for it in in_pipeline(data)]


def test_a_variable_that_a_pipeline_writes_is_found() -> None:
    counter = tf.Variable(0, dtype=tf.int64)

    def counted(x: Any) -> Any:
        return x + counter.assign_add(1)

    assert {it.kind for it in in_pipeline(dataset().map(counted))} == {"writes"}


def test_random_operations_of_a_compiled_step_are_found_behind_wrappers() -> None:
    @tf.function
    def compiled(x: Any) -> Any:
        return noisy(x)

    compiled(tf.constant(1))

    def train_function(x: Any) -> Any:
        return compiled(x)

    assert [it.operation for it in in_step(train_function)] == ["RandomStandardNormal"]


def test_a_step_that_is_not_compiled_has_none() -> None:
    assert in_step(None) == []
    assert in_step(noisy) == []
