"""The callback on real Keras models, in this process, with real W&B runs."""

from __future__ import annotations

import os
import struct
import sys
from typing import Any, cast

import pytest

from tests.support.recording import callback, digests, fit, keras, recording, steps_of
from tests.support.training import Recorded, Young, data, dense_model, recorded_in, tensorflow_data
from tests.test_digest import GOLDEN
from wandb_repro.digest import Array
from wandb_repro.errors import UsageError
from wandb_repro.manifest.trail_records import Granularity, Losses, Missing, Numbers
from wandb_repro.recording.trail_sink import Point

SAME_ORDER = "shows the examples in the same order in every epoch"


def weights_in(recorded: Recorded, moment: str, count: int) -> list[str]:
    """Return the digests of a model's own weights at a moment: the first two groups."""
    return list(recorded.at(moment).leaves[:count])


def test_the_trail_holds_initial_first_step_epochs_and_final(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model())
    assert found[0].moments() == [
        ("initial", 0, 0),
        ("step", 0, 1),
        ("epoch", 1, 3),
        ("epoch", 2, 6),
        ("final", 2, 6),
    ]
    assert found[0].trail.end is not None
    assert not found[0].trail.torn


def test_every_dtype_that_a_variable_can_have_has_a_golden_digest() -> None:
    from keras.src.backend.common import dtypes

    of_keras = set(cast("Any", dtypes).ALLOWED_DTYPES) - {"string"}  # no weights are text
    assert of_keras <= set(GOLDEN)


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_weights_are_read_without_a_warning_of_numpy(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), epochs=1)
    assert found[0].moments()[-1] == ("final", 1, 3)


def test_loss_and_metrics_are_kept_to_the_last_bit_validation_included(offline: Young) -> None:
    model = dense_model(metrics=["mae"])
    with recording(offline) as found:
        history = fit(model, validation_data=data())
    for epoch in (1, 2):
        kept = found[0].at("epoch", epoch=epoch).metrics
        assert {name: float.fromhex(text) for name, text in kept.items()} == {
            name: values[epoch - 1] for name, values in history.history.items()
        }
        assert set(kept) == {"loss", "mae", "val_loss", "val_mae"}


def test_the_variables_are_told_apart_in_four_groups(offline: Young) -> None:
    layers = keras().layers
    model = dense_model(
        layers.Dense(3), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(1)
    )
    with recording(offline) as found:
        fit(model)
    ((_, shapes), *_) = found[0].trail.with_shapes()
    assert [shape.group for shape in shapes] == [
        *["trainable"] * 6,
        *["non_trainable"] * 2,
        "seed",
        *["optimizer"] * 2,
    ]
    final = found[0].at("final").leaves
    own = [*model.trainable_variables, *model.non_trainable_weights]
    assert list(final[:8]) == digests(keras().ops.convert_to_numpy(one) for one in own)


def test_the_same_seed_gives_the_same_trail_and_another_one_another(offline: Young) -> None:
    with recording(offline) as one:
        fit(dense_model())
    with recording(offline) as two:
        fit(dense_model())
    with recording(offline, seed=6) as three:
        fit(dense_model())
    assert one[0].roots() == two[0].roots()
    assert one[0].trail.weights[0].root != three[0].trail.weights[0].root


def test_another_model_built_first_changes_no_digest(offline: Young) -> None:
    offline.forget_keras()
    with recording(offline, seed=None) as plain:
        keras().utils.set_random_seed(8)
        fit(dense_model())
    with recording(offline, seed=None) as after_another:
        dense_model()
        keras().utils.set_random_seed(8)
        fit(dense_model())
    assert plain[0].roots() == after_another[0].roots()


def test_a_model_that_fit_builds_has_a_reason_for_initial_and_a_first_step(offline: Young) -> None:
    class Unbuilt(keras().Model):  # a subclass whose weights come from its first call
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.dense = keras().layers.Dense(1)
            self.drop = keras().layers.Dropout(0.5)

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.dense(self.drop(inputs, training=training))

    model: Any = Unbuilt()
    model.compile("sgd", "mse", jit_compile=False)
    with recording(offline) as found:
        fit(model)
    (missing,) = found[0].trail.missing
    assert (missing.moment, missing.step) == ("initial", 0)
    assert "not built" in missing.reason
    assert found[0].moments()[0] == ("step", 0, 1)
    assert weights_in(found[0], "final", 2) == digests(model.get_weights()[:2])


def test_a_model_without_variables_has_reasons_and_no_digest_of_nothing(offline: Young) -> None:
    layers = keras().layers
    model = dense_model(layers.Flatten(), optimizer=None)
    model.optimizer = None
    with recording(offline) as found:
        session_weights_of_nothing(model)
    assert found[0].trail.weights == ()
    assert {missing.reason for missing in found[0].trail.missing} == {"the model has no variables"}


def session_weights_of_nothing(model: Any) -> None:
    """Drive the callback as ``fit`` would: Keras itself refuses to train such a model."""
    ours = callback()
    ours.set_model(model)
    ours.set_params({"steps": 1})
    ours.on_train_begin()
    ours.on_epoch_begin(0)
    ours.on_train_batch_begin(0)
    ours.on_epoch_end(0, {"loss": 1.0})
    ours.on_train_end()


@pytest.mark.parametrize("ours_first", [True, False])
def test_final_is_what_the_model_holds_after_fit_also_with_restored_weights(
    offline: Young, ours_first: bool
) -> None:
    stopping = keras().callbacks.EarlyStopping(
        monitor="worse", mode="min", patience=9, restore_best_weights=True
    )

    class Worse(keras().callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            logs["worse"] = float(epoch)

    model = dense_model()
    with recording(offline) as found:
        mine = callback()
        ordered = [mine, Worse(), stopping] if ours_first else [Worse(), stopping, mine]
        fit(model, *ordered, epochs=3)
    assert weights_in(found[0], "final", 4) == digests(model.get_weights())
    assert weights_in(found[0], "final", 4) == list(found[0].at("epoch", epoch=1).leaves[:4])
    assert weights_in(found[0], "final", 4) != list(found[0].at("epoch", epoch=3).leaves[:4])


def test_each_fit_and_each_model_of_a_run_has_its_own_part(offline: Young) -> None:
    first, second = dense_model(), dense_model(keras().layers.Dense(1))
    ours = callback()
    with recording(offline) as found:
        fit(first, ours, epochs=1)
        fit(first, ours, epochs=1)
        fit(second, epochs=1)
    assert [found[0].moments(fit=number)[-1] for number in (1, 2, 3)] == [("final", 1, 3)] * 3
    assert found[0].at("initial", fit=2).root == found[0].at("final", fit=1).root
    assert found[0].trail.end is not None
    assert found[0].trail.end.fits == 3


def test_a_callback_outlives_its_run(offline: Young) -> None:
    ours = callback()
    model = dense_model()
    with recording(offline) as one:
        fit(model, ours, epochs=1)
    with recording(offline) as two:
        fit(model, ours, epochs=1)
    assert [len(it[0].trail.weights) for it in (one, two)] == [4, 4]


def test_two_callbacks_in_one_fit_record_it_once(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(), callback())
    assert len(found[0].trail.weights) == 5


def test_steps_executed_at_once_are_counted_one_by_one(offline: Young) -> None:
    model = dense_model(steps_per_execution=4)
    with recording(offline) as found:
        fit(model, x=tensorflow_data(12, batch=2))
    assert found[0].moments() == [
        ("initial", 0, 0),
        ("step", 0, 4),
        ("epoch", 1, 6),
        ("epoch", 2, 12),
        ("final", 2, 12),
    ]


def test_weights_are_digested_every_so_many_steps_where_that_is_asked_for(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(steps=2), x=tensorflow_data(20))
    steps = [step for moment, _, step in found[0].moments() if moment == "step"]
    assert steps == [1, 2, 4, 6, 8, 10]


def test_a_pipeline_of_unknown_length_is_counted_as_keras_begins_its_batches(
    offline: Young,
) -> None:
    def every(*_: object) -> bool:
        return True

    with recording(offline) as found:
        fit(dense_model(), x=tensorflow_data().filter(every))
    # Three batches an epoch, and one that Keras begins to find that there is none.
    assert found[0].moments()[-1] == ("final", 2, 8)


def test_steps_below_one_are_refused_when_they_are_given() -> None:
    with pytest.raises(UsageError, match="steps=0 is not a number of steps"):
        callback(steps=0)


def test_metrics_that_are_no_numbers_are_left_out(offline: Young) -> None:
    import numpy as np

    class Odd(keras().callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
            logs.update(matrix=np.eye(2), word="good", one=np.float32(0.1), single=np.ones(1))

    with recording(offline) as found:
        fit(dense_model(), Odd(), callback())
    kept = found[0].at("epoch", epoch=1).metrics
    assert set(kept) == {"loss", "one"}
    assert kept["one"] == float(np.float32(0.1)).hex()


def test_bfloat16_weights_are_digested_by_their_bits(offline: Young) -> None:
    model = dense_model(keras().layers.Dense(1, dtype="bfloat16"))
    with recording(offline) as found:
        fit(model)
    ((_, shapes), *_) = found[0].trail.with_shapes()
    assert [shape.dtype for shape in shapes[:2]] == ["bfloat16"] * 2
    own = [keras().ops.convert_to_numpy(one) for one in model.trainable_variables]
    assert weights_in(found[0], "final", 2) == digests(own)


def test_mixed_precision_is_recorded_with_its_float32_weights(offline: Young) -> None:
    policy = keras().config.dtype_policy()
    keras().config.set_dtype_policy("mixed_float16")
    try:
        with recording(offline) as found:
            fit(dense_model())
    finally:
        keras().config.set_dtype_policy(policy)
    ((_, shapes), *_) = found[0].trail.with_shapes()
    assert {shape.dtype for shape in shapes if shape.group == "trainable"} == {"float32"}
    assert found[0].at("final").root != found[0].at("initial").root


def custom_step_model() -> Any:
    import tensorflow

    tf: Any = tensorflow

    class Custom(keras().Model):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.dense = keras().layers.Dense(1)
            self.tracker = keras().metrics.Mean(name="loss")
            self.build((None, 4))

        def build(self, input_shape: Any) -> None:
            self.dense.build(input_shape)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

        def train_step(self, batch: Any) -> Any:
            inputs, targets = batch
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((self(inputs) - targets) ** 2)
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    model: Any = Custom()
    model.compile("sgd", jit_compile=False)
    return model


def test_a_custom_train_step_is_recorded_and_its_metrics_are_no_weights(offline: Young) -> None:
    with recording(offline) as found:
        fit(custom_step_model())
    ((_, shapes), *_) = found[0].trail.with_shapes()
    assert [shape.group for shape in shapes] == [*["trainable"] * 2, *["optimizer"] * 2]
    assert found[0].moments()[-1] == ("final", 2, 6)


@pytest.mark.parametrize("split", [0.0, 0.5])
def test_one_order_again_and_again_is_told_once_with_its_cure(
    offline: Young, capfd: pytest.CaptureFixture[str], split: float
) -> None:
    x, y = data()
    with recording(offline):
        fit(dense_model(), x=x, y=y, validation_split=split)
        fit(dense_model(), x=x, y=y, validation_split=split)
    told = capfd.readouterr().err
    assert told.count(SAME_ORDER) == 1
    assert "wandb_repro.keras.shuffled(x, y, batch_size)" in told


@pytest.mark.parametrize(
    "options", [{"shuffle": False}, {"epochs": 1}, {"epochs": 2, "initial_epoch": 1}]
)
def test_arrays_shown_in_one_order_by_choice_are_not_told_of(
    offline: Young, capfd: pytest.CaptureFixture[str], options: dict[str, Any]
) -> None:
    x, y = data()
    with recording(offline):
        fit(dense_model(), x=x, y=y, **options)
    assert SAME_ORDER not in capfd.readouterr().err


def test_a_pipeline_is_not_told_of(offline: Young, capfd: pytest.CaptureFixture[str]) -> None:
    with recording(offline):
        fit(dense_model())
    assert SAME_ORDER not in capfd.readouterr().err


def test_without_a_run_one_sentence_is_said_and_training_goes_on(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    history = fit(dense_model())
    fit(dense_model())
    assert len(history.history["loss"]) == 2
    assert capfd.readouterr().err.count("no W&B run is active") == 1
    assert not list(offline.folder.glob("wandb/*run*"))


def test_the_callback_alone_attaches_to_an_active_run(offline: Young) -> None:
    import wandb

    run = wandb.init(project="p")
    fit(dense_model())
    run.finish()
    assert recorded_in(run.dir).moments()[-1] == ("final", 2, 6)


def test_a_run_that_is_not_the_active_one_is_recorded_when_it_is_given(offline: Young) -> None:
    import wandb

    active = wandb.init(project="p")
    other = wandb.init(project="p", reinit="create_new")
    fit(dense_model(), callback(run=other))
    other.finish()
    active.finish()
    assert recorded_in(other.dir).moments()[-1] == ("final", 2, 6)
    assert not recorded_in(active.dir).capsule.folder.exists()


def test_a_disabled_run_leaves_no_file_no_word_and_the_same_weights(
    offline: Young, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb_repro

    keras().utils.set_random_seed(2)
    plain = dense_model()
    plain.fit(tensorflow_data(), epochs=2, verbose=0)
    keras().utils.set_random_seed(2)
    run = wandb_repro.init(project="p", mode="disabled")
    assert run.disabled
    wandb_repro.fingerprint("train", *data())
    model = dense_model()
    fit(model)
    assert digests(model.get_weights()) == digests(plain.get_weights())
    assert "wandb_repro" not in capfd.readouterr().err
    assert not (offline.folder / "wandb").exists()


def test_a_recorded_training_has_the_weights_of_one_without_us(offline: Young) -> None:
    keras().utils.set_random_seed(2)
    plain = dense_model(keras().layers.Dropout(0.3), keras().layers.Dense(1))
    plain.fit(tensorflow_data(), epochs=2, verbose=0)
    offline.forget_keras()
    keras().utils.set_random_seed(2)
    with recording(offline, seed=None):
        model = dense_model(keras().layers.Dropout(0.3), keras().layers.Dense(1))
        fit(model, callback(steps=1))
    assert digests(model.get_weights()) == digests(plain.get_weights())


def test_a_forked_child_writes_nothing_into_the_trail(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), Forking(), callback(), epochs=1)
    assert len(found[0].trail.weights) == 4
    assert found[0].trail.end is not None


class Forking:
    """Forks a child that goes through our methods and the process' end, in the midst of fit."""

    def __new__(cls) -> Any:
        class Callback(keras().callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                fork_through_our_methods()

        return Callback()


def fork_through_our_methods() -> None:
    import numpy as np

    from wandb_repro import api
    from wandb_repro.capture.weights import Variable
    from wandb_repro.recording import process_exit

    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        return
    code = 1
    try:
        (session,) = api.process.sessions.values()
        one = [Variable("trainable", "w", cast("Array", np.ones(3)))]
        session.begin_fit(None)
        session.weights(Point("epoch", fit=1, epoch=9, step=9), one)
        session.write(Missing(fit=1, moment="final", epoch=9, step=9, reason="planted"))
        session.finish()
        process_exit.finish_all()
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


class Nudging:
    """Changes a weight after a step, while nothing trains."""

    def __new__(cls, batch: int) -> Any:
        class Callback(keras().callbacks.Callback):
            def on_train_batch_begin(self, at: int, logs: Any = None) -> None:
                if at == batch:
                    bias = self.model.trainable_variables[1]
                    bias.assign(bias + 1.0)

        return Callback()


def test_every_step_has_its_weights_its_batch_and_its_losses(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(steps=1), epochs=1)
    steps = steps_of(found[0])
    assert [it.step for it in steps] == [1, 2, 3]
    assert len({it.root for it in steps}) == 3
    assert len({it.data for it in steps} - {None}) == 3
    assert [it.before for it in steps] == [None] * 3
    (losses,) = found[0].trail.of(Losses)
    assert (losses.first, losses.every, losses.last) == (1, 1, 3)
    loss = found[0].at("epoch").metrics["loss"]
    assert struct.unpack(">d", bytes.fromhex(losses.bits["loss"][-16:]))[0].hex() == loss


def test_losses_of_every_step_are_kept_where_only_epochs_are_digested(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model())
    assert [(it.epoch, it.first, it.last) for it in found[0].trail.of(Losses)] == [
        (0, 1, 3),
        (1, 4, 6),
    ]


def test_chosen_steps_are_digested(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(steps=[2, 5]))
    assert [it.step for it in steps_of(found[0])] == [1, 2, 5]
    (told,) = found[0].trail.of(Granularity)
    assert (told.every, told.chosen, told.steps_at_once) == (0, (2, 5), 1)


def test_a_callback_that_changes_weights_between_steps_is_told_from_a_step(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), Nudging(2), callback(steps=1), epochs=1)
    one, two, three = steps_of(found[0])
    assert (one.before, two.before) == (None, None)
    assert three.before not in (None, two.root, three.root)


def test_numbers_stand_beside_the_digests_of_epochs(offline: Young) -> None:
    model = dense_model()
    with recording(offline) as found:
        fit(model, epochs=1)
    epoch = next(it for it in found[0].trail.of(Numbers) if it.moment == "epoch")
    kernel = keras().ops.convert_to_numpy(model.trainable_variables[0])
    (norm,) = struct.unpack(">d", bytes.fromhex(epoch.norm[:16]))
    assert norm == pytest.approx(float((kernel.astype("f8") ** 2).sum()) ** 0.5, rel=1e-12)
