"""What no checkpoint can hold is named before the first is relied on: line of code and cure."""

from __future__ import annotations

import inspect
import random
from typing import Any

import numpy as np
import pytest

from tests.support.resuming import Folder, bits_of, folder
from tests.support.training import data, dense_model, tensorflow_data
from wandb_repro.errors import UsageError

__all__ = ["folder"]

NOT_EXACT = "wandb_repro: warning: a resume of this training is not exact: "


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    told = capsys.readouterr().err.splitlines()
    return [line.removeprefix(NOT_EXACT) for line in told if line.startswith(NOT_EXACT)]


def line_of(function: Any, text: str) -> str:
    """Return where a line of a function stands, as it is told."""
    lines, first = inspect.getsourcelines(function)
    (place,) = [at for at, line in enumerate(lines) if text in line]
    return f"{__file__}:{first + place}"


def tensorflow() -> Any:
    import tensorflow

    return tensorflow


def keras() -> Any:
    import keras

    return keras


def noisy(x: Any, y: Any) -> Any:
    noise = tensorflow().random.normal([4])
    return x + noise, y


def test_a_random_operation_of_a_pipeline_is_named_with_its_line_and_its_cure(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train(1, x=tensorflow_data().unbatch().map(noisy).batch(4))

    (told,) = said(capsys)
    assert told == (
        "RandomStandardNormal inside the pipeline of the training data has a state that nothing "
        f"can read ({line_of(noisy, 'noise = ')}); draw with tf.random.stateless_... and seeds "
        "from tf.data.Dataset.random(seed=..., rerandomize_each_iteration=True)"
    )


def test_a_random_operation_inside_a_branch_is_found_too(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    def sometimes(x: Any, y: Any) -> Any:
        tf = tensorflow()
        return tf.cond(y[0] > 0, lambda: x, lambda: x * tf.random.uniform([4])), y

    folder.train(1, x=tensorflow_data().unbatch().map(sometimes).batch(4))

    (told,) = said(capsys)
    assert told.startswith("RandomUniform inside the pipeline of the training data")
    assert line_of(sometimes, "tf.random.uniform") in told


def test_a_layer_of_keras_in_a_pipeline_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = keras().layers.GaussianNoise(0.1)

    def augmented(x: Any, y: Any) -> Any:
        return layer(x, training=True), y

    folder.train(1, x=tensorflow_data().map(augmented))

    (told,) = said(capsys)
    assert told.startswith("the pipeline of the training data changes a variable")
    assert line_of(augmented, "return layer") in told
    assert told.endswith(
        "put the layer into the model, or use stateless operations in the pipeline"
    )


def test_stateless_operations_and_layers_of_the_model_are_no_finding(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    def stateless(x: Any, y: Any) -> Any:
        return x + tensorflow().random.stateless_normal([4], (1, 2)), y

    def model() -> Any:
        return dense_model(keras().layers.GaussianNoise(0.1), keras().layers.Dense(1))

    folder.train(1, x=tensorflow_data().unbatch().map(stateless).batch(4), model=model)

    assert said(capsys) == []


def test_a_random_operation_of_a_layer_is_named_with_its_line(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Noise(keras().layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + tensorflow().random.normal(tensorflow().shape(inputs))

    folder.train(1, model=lambda: dense_model(Noise(), keras().layers.Dense(1)))

    (told,) = said(capsys)
    assert told.startswith("RandomStandardNormal inside the training step has a state")
    assert line_of(Noise.call, "random.normal") in told
    assert "keras.random.SeedGenerator" in told


def batches(rng: Any) -> Any:
    """Return a dataset that draws from a generator of its own."""

    class Batches(keras().utils.PyDataset):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.rng = rng

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            x, y = data()
            drawn = self.rng.normal(size=(4, 4)).astype("float32")
            return x[index * 4 : index * 4 + 4] + drawn, y[index * 4 : index * 4 + 4]

    return Batches()


def test_a_generator_that_a_dataset_holds_is_named_unless_it_is_registered(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.train(1, x=batches(np.random.default_rng(1)))

    (told,) = said(capsys)
    assert told.startswith(f"Batches.rng holds a random generator ({__file__}:")
    assert told.endswith("; pass it to wandb_repro.register(...)")


def test_a_registered_generator_goes_on_where_it_was(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    import wandb_repro

    def train(epochs: int, where: Folder) -> str:
        held: list[Any] = []

        def made() -> Any:
            held.append(wandb_repro.register(np.random.default_rng(1)))
            return dense_model()

        class Later:
            """Draws from what was registered when the model was made."""

            def normal(self, **size: Any) -> Any:
                return held[0].normal(**size)

        return bits_of(where.train(epochs, x=batches(Later()), model=made))

    other = Folder(folder.path.with_name("other"), folder.begin)
    never = train(4, other)
    train(2, folder)

    assert train(4, folder) == never
    assert said(capsys) == []


def test_a_generator_in_a_function_of_the_pipeline_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(2)

    def drawn(x: Any) -> Any:
        return x + rng.normal(size=4).astype("float32")

    def mapped(x: Any, y: Any) -> Any:
        noise = tensorflow().numpy_function(drawn, [x], tensorflow().float32)
        return tensorflow().ensure_shape(noise, [4]), y

    folder.train(1, x=tensorflow_data().unbatch().map(mapped).batch(4))

    (told,) = said(capsys)
    assert told.startswith("rng holds a random generator")
    assert line_of(drawn, "def drawn") in told


def test_a_generator_of_a_dataset_from_a_generator_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(2)

    def drawn() -> Any:
        x, y = data()
        for at in range(3):
            noise = rng.normal(size=(4, 4)).astype("float32")
            yield x[at * 4 : at * 4 + 4] + noise, y[at * 4 : at * 4 + 4]

    kinds = tensorflow_data().element_spec
    folder.train(1, x=tensorflow().data.Dataset.from_generator(drawn, output_signature=kinds))

    (told,) = said(capsys)
    assert told.startswith(f"rng holds a random generator ({line_of(drawn, 'def drawn')})")


def test_state_of_a_callback_that_nobody_named_is_named_once(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Counting(keras().callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.epochs = 0

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epochs += 1

    class Named(Counting):
        saved_attributes = ("epochs",)

    folder.train(3, Counting())
    (told,) = said(capsys)
    assert told.startswith(f"Counting.epochs changes ({__file__}:")
    assert told.endswith("name it in the class: saved_attributes = ('epochs',)")

    other = Folder(folder.path.with_name("named"), folder.begin)
    other.train(3, Named())
    again = Named()
    other.train(5, again)
    assert said(capsys) == []
    assert again.epochs == 5


def test_another_callback_that_resumes_is_named(
    folder: Folder, capsys: pytest.CaptureFixture[str]
) -> None:
    backup = keras().callbacks.BackupAndRestore(folder.path.with_name("backup"))
    folder.train(1, backup)

    (told,) = said(capsys)
    assert told == "BackupAndRestore restores another state; remove it from callbacks"


@pytest.mark.parametrize(
    "generator",
    [random.SystemRandom(), 7, "rng", np.random],
    ids=["the system's", "a number", "a name", "a module"],
)
def test_what_has_no_state_to_keep_is_refused(generator: Any) -> None:
    import wandb_repro

    with pytest.raises(UsageError, match="random generator"):
        wandb_repro.register(generator)
