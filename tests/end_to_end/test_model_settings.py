"""What a model is and how it is compiled: recorded from real Keras models, shown, and compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.recording import fit, keras, recording
from tests.support.records import full_manifest
from tests.support.training import Young, dense_model
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.model_config import probe_settings
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import FitSettings
from wandb_repro.report.record_model import model_rows
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.manifest_diff import differences


def model(rate: float = 0.5, learning_rate: Any = 0.01, **compiled: Any) -> Any:
    """Return a small model: dense, dropout, dense."""
    layers = keras().layers
    made = keras().Sequential(
        [keras().Input((4,)), layers.Dense(3), layers.Dropout(rate), layers.Dense(1)]
    )
    adam = keras().optimizers.Adam(learning_rate)
    made.compile(**{"optimizer": adam, "loss": "mse", "jit_compile": False, **compiled})
    return made


def settings(of: Any, **arguments: object) -> FitSettings:
    """Return what is recorded of a model that begins to train."""
    found = probe_settings(Host(), of, {"batch_size": 4, "epochs": 2, **arguments}, 1)
    assert isinstance(found, FitSettings)
    return found


def manifest(*fits: FitSettings) -> Manifest:
    """Return a manifest that holds them, written and read back."""
    whole = full_manifest()
    told = whole.description.model_copy(update={"fits": fits})
    return Manifest.from_bytes(whole.model_copy(update={"description": told}).to_bytes())


def found(one: Any, two: Any) -> list[Finding]:
    """Return what differs between runs of two models."""
    return list(differences(manifest(settings(one)), manifest(settings(two))))


def sentences(one: Any, two: Any) -> list[str]:
    return [finding.sentence for finding in found(one, two)]


def of_its_own() -> Any:
    """Return a model of the user's own class, whose argument Keras cannot serialise."""

    base: Any = keras().Model

    class Own(base):
        def __init__(self, rule: Callable[[], int]) -> None:
            base.__init__(self)
            self.rule = rule
            self.inner = keras().layers.Dense(2, name="inner")

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    made = Own(object.__hash__.__get__(object()))  # a bound method of C has no name to find it by
    made.compile("sgd", "mse", jit_compile=False)
    return made


def test_the_same_model_twice_is_the_same_though_keras_counts_its_layers() -> None:
    one, two = model(), model()
    assert one.layers[0].name != two.layers[0].name
    assert found(one, two) == []


def test_a_learning_rate_is_told_by_its_name_as_people_write_it() -> None:
    (finding,) = found(model(learning_rate=0.01), model(learning_rate=0.001))
    assert finding.sentence == ("learning_rate of optimizer: 0.01 in the original, 0.001 here")
    assert (finding.kind, finding.effect) == ("model", "changes bits")
    assert finding.cure == "set it to 0.01"


def test_a_dropout_rate_is_told_with_its_layer() -> None:
    one = model(0.5)
    (told,) = sentences(one, model(0.2))
    assert told == f"rate of layer {one.layers[1].name}: 0.5 in the original, 0.2 here"


def test_a_schedule_is_told_whole_where_the_other_has_a_number() -> None:
    schedule = keras().optimizers.schedules.CosineDecay(0.1, 10)
    (told,) = sentences(model(learning_rate=schedule), model(learning_rate=0.1))
    assert told.startswith("learning_rate of optimizer: CosineDecay(initial_learning_rate=0.1, ")
    other = keras().optimizers.schedules.CosineDecay(0.1, 20)
    assert sentences(model(learning_rate=schedule), model(learning_rate=other)) == [
        "learning_rate.decay_steps of optimizer: 10 in the original, 20 here"
    ]


@pytest.mark.parametrize(
    ("compiled", "told", "effect"),
    [
        ({"loss": "mae"}, "loss: mean_squared_error in", "changes bits"),
        ({"loss_weights": [2.0]}, "loss_weights: None in the original, 2 here", "changes bits"),
        ({"metrics": ["mae"]}, "metrics: None in the original, mae here", "explains"),
        ({"jit_compile": True}, "jit_compile of the model: off in", "changes bits"),
        ({"optimizer": "sgd"}, "optimizer: Adam(learning_rate=0.01, ", "changes bits"),
    ],
)
def test_what_compile_was_given_is_compared(
    compiled: dict[str, Any], told: str, effect: str
) -> None:
    (finding,) = found(model(), model(**compiled))
    assert finding.sentence.startswith(told)
    assert finding.effect == effect


def test_two_names_of_one_loss_are_one_loss() -> None:
    assert found(model(loss="mse"), model(loss="mean_squared_error")) == []


def test_mixed_precision_is_a_difference_of_the_model() -> None:
    one = model()
    keras().config.set_dtype_policy("mixed_bfloat16")
    try:
        two = model()
    finally:
        keras().config.set_dtype_policy("float32")
    told = sentences(one, two)
    assert f"dtype of layer {one.layers[0].name}: float32 in the original, mixed_bfloat16 here" in (
        told
    )
    assert "dtype policy of the model: float32 in the original, mixed_bfloat16 here" in told


def test_another_layer_is_told_by_its_place_and_kind() -> None:
    layers = keras().layers
    short = keras().Sequential([keras().Input((4,)), layers.Dense(3), layers.Dense(1)])
    short.compile(keras().optimizers.Adam(0.01), "mse", jit_compile=False)
    one = model()
    (told,) = sentences(one, short)
    assert told.startswith(f"layer 3 of the model: Dropout {one.layers[1].name} in the original, ")


def test_a_frozen_layer_is_a_difference() -> None:
    one, two = model(), model()
    two.layers[0].trainable = False
    assert sentences(one, two) == [
        f"trainable of layer {one.layers[0].name}: True in the original, False here"
    ]


def test_arguments_of_fit_are_compared() -> None:
    made = model()
    one, two = manifest(settings(made)), manifest(settings(made, batch_size=8, epochs=3))
    batch, epochs = differences(one, two)
    assert batch.sentence == "batch_size of fit: 4 in the original, 8 here"
    assert (batch.effect, epochs.effect) == ("may change bits", "explains")


def test_what_does_not_serialise_costs_its_part_only_and_says_why() -> None:
    told = settings(of_its_own())
    rows = dict(model_rows(manifest(told)))
    assert not isinstance(told.optimizer, Unavailable)
    assert "1 Dense" in rows["layers"]
    assert "partly not recorded" in rows["layers"]


def test_a_model_that_was_not_compiled_has_that_for_a_reason() -> None:
    made = keras().Sequential([keras().Input((4,)), keras().layers.Dense(1)])
    told = settings(made)
    assert str(told.optimizer) == "the model was not compiled"
    assert not isinstance(told.architecture, Unavailable)


def test_a_large_constant_is_not_written_as_text() -> None:
    import numpy as np

    table = keras().initializers.Constant(np.zeros((600, 600)))
    layer = keras().layers.Embedding(600, 600, embeddings_initializer=table, name="table")
    made = keras().Sequential([keras().Input((4,)), layer])
    rows = dict(model_rows(manifest(settings(made))))
    assert "layer table holds a constant of 2,880,000 bytes" in rows["layers"]


def test_a_lambda_is_the_same_in_another_folder() -> None:
    text = "lambda x: x * 2"
    one, two = (eval(compile(text, name, "eval")) for name in ("/a/x.py", "/b/x.py"))  # noqa: S307
    layers = keras().layers
    made = [
        keras().Sequential([keras().Input((4,)), layers.Lambda(each), layers.Dense(1)])
        for each in (one, two)
    ]
    assert found(*made) == []


def test_a_training_records_and_shows_its_settings(offline: Young) -> None:
    with recording(offline) as recorded:
        fit(dense_model(metrics=["mae"]), epochs=1)
    rows = dict(model_rows(recorded[0].manifest))
    assert rows["optimizer"].startswith("SGD(learning_rate=0.01")
    assert rows["loss"] == "mean_squared_error"
    assert rows["metrics"] == "mae"
    assert rows["layers"] == "Sequential, 3 layers: 1 InputLayer, 2 Dense"
    assert "epochs=1" in rows["fit"]


def test_each_fit_of_other_settings_is_recorded_once(offline: Young) -> None:
    with recording(offline) as recorded:
        made = dense_model()
        fit(made, epochs=1)
        fit(made, epochs=1)
        made.compile("sgd", "mae", jit_compile=False)
        fit(made, epochs=1)
    fits = recorded[0].manifest.description.fits
    assert not isinstance(fits, Unavailable)
    assert [one.fit for one in fits] == [1, 3]


def test_reading_the_settings_changes_nothing_of_the_training() -> None:
    made = model()
    before = made.get_config()
    settings(made)
    assert made.get_config() == before
    assert made.optimizer.get_config()["learning_rate"] == pytest.approx(0.01)
