"""Loops of one's own, recorded: real runs of W&B, tiny trainings of TensorFlow's variables."""

from __future__ import annotations

import gc
import math
import struct
from collections.abc import Iterator
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow

import wandb_repro
from tests.support.recording import recording
from tests.support.training import Young, dense_model, finished, tensorflow_data
from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_records import Granularity, Losses, Missing, Seen

tf: Any = cast("Any", tensorflow)
library: Any = cast("Any", keras)

DATA = [np.full((2, 3), float(value), "float32") for value in range(3)]


class Line:
    """One variable that each step adds a number to."""

    def __init__(self, name: str = "slope") -> None:
        self.variable = tf.Variable(0.0, name=name)

    def step(self, batch: Any = 1.0) -> Any:
        self.variable.assign_add(float(np.sum(batch)) + 1)
        return self.variable * 2


def losses(found: Any, fit: int = 1, name: str = "loss") -> list[float]:
    """Return the recorded values of all steps."""
    digits = "".join(it.bits[name] for it in found.trail.of(Losses) if it.fit == fit)
    raw = bytes.fromhex(digits)
    return list(struct.unpack(f">{len(raw) // 8}d", raw))


def test_a_loop_has_the_moments_of_a_fit(offline: Young) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)
        for _ in range(2):
            for batch in watch.batches(DATA):
                watch.step(loss=line.step(batch))
            watch.epoch(val_loss=0.5)
    moments = [("initial", 0, 0), ("step", 0, 1), ("epoch", 1, 3), ("epoch", 2, 6)]
    assert found[0].moments() == [*moments, ("final", 2, 6)]
    assert losses(found[0]) == [2.0, 16.0, 42.0, 44.0, 58.0, 84.0]
    assert found[0].at("epoch", epoch=2).metrics == {"val_loss": (0.5).hex()}
    assert found[0].trail.end is not None
    assert (found[0].trail.end.status, found[0].trail.end.fits) == ("finished", 1)
    seen = [it for it in found[0].trail.of(Seen) if it.epoch == 1]
    assert [len(cast("tuple[str, ...]", it.batches)) for it in seen][-1] == 2
    (plan,) = found[0].trail.of(Granularity)
    assert plan.losses == "the values passed to watch.step"
    assert isinstance(plan.before, Unavailable)


@pytest.mark.parametrize(("steps", "expected"), [(2, [1, 2, 4, 6]), ({3, 5}, [1, 3, 5])])
def test_chosen_steps_are_digested_with_their_batches(
    offline: Young, steps: Any, expected: list[int]
) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable, steps=steps)
        for batch in watch.batches(DATA * 2):
            watch.step(loss=line.step(batch))
    records = [it for it in found[0].trail.weights if isinstance(it, Digested)]
    assert [it.step for it in records] == expected
    assert None not in [it.data for it in records]
    assert len({it.root for it in records}) == len(records)


def test_a_step_may_take_any_number_of_batches(offline: Young) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable, steps=1)
        batches = iter(watch.batches(DATA * 2))
        for batch, second in zip(batches, batches, strict=True):
            watch.step(loss=line.step(batch))
            del second
    records = [it for it in found[0].trail.weights if isinstance(it, Digested)]
    assert [it.step for it in records] == [1, 2, 3]
    assert None not in [it.data for it in records]


def test_a_loop_without_batches_and_epochs_is_recorded_to_its_last_step(offline: Young) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)
        for _ in range(300):
            watch.step(loss=line.step())
    assert found[0].moments() == [("step", 0, 1), ("final", 0, 300)]
    (missing,) = found[0].trail.missing
    assert "the first step ran before the watch began" in missing.reason
    assert losses(found[0]) == [4.0 * step for step in range(1, 301)]
    assert len(list(found[0].trail.of(Losses))) == 2


def test_entering_the_watch_digests_the_initial_state(offline: Young) -> None:
    line = Line()
    with recording(offline) as found, wandb_repro.watch(line.variable) as watch:
        watch.step(loss=line.step())
    assert found[0].moments() == [("initial", 0, 0), ("step", 0, 1), ("final", 0, 1)]


def test_steps_after_an_epoch_belong_to_the_next(offline: Young) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)
        watch.step(loss=line.step())
        watch.epoch()
        watch.epoch()  # only validated
        watch.step(loss=line.step())
        watch.finish()
        watch.finish()
    moments = [("step", 0, 1), ("epoch", 1, 1), ("epoch", 2, 1)]
    assert found[0].moments() == [*moments, ("final", 2, 2)]
    assert losses(found[0]) == [4.0, 8.0]


def test_a_generator_that_ends_early_and_one_that_is_left_are_fine(offline: Young) -> None:
    line = Line()

    def endless() -> Iterator[Any]:
        while True:
            yield DATA[0]

    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)
        for batch in watch.batches(iter(DATA[:1])):
            watch.step(loss=line.step(batch))
        watch.epoch()
        for number, batch in enumerate(watch.batches(endless())):
            if number == 3:
                break
            watch.step(loss=line.step(batch))
        watch.epoch()
    assert found[0].moments()[-1] == ("final", 2, 4)
    assert [it.epoch for it in found[0].trail.of(Seen)][-1] == 1


def test_batches_pass_unchanged_and_can_be_iterated_again() -> None:
    watch = wandb_repro.watch(tf.Variable(0.0))
    batches = watch.batches(DATA)
    assert len(batches) == 3
    assert next(batches) is DATA[0]
    assert all(one is two for one, two in zip(batches, DATA, strict=True))
    assert len(list(batches)) == 3
    assert watch.batches(iter(DATA))
    with pytest.raises(TypeError):
        len(watch.batches(iter(DATA)))


def test_a_model_of_keras_with_its_optimizer_is_read_as_fit_reads_it(offline: Young) -> None:
    def built() -> tuple[Any, Any]:
        library.utils.set_random_seed(3)
        model = dense_model(optimizer="adam")
        return model, model.optimizer

    with recording(offline) as found:
        model, optimizer = built()
        watch = wandb_repro.watch(model, optimizers=[optimizer])
        for x, y in watch.batches(tensorflow_data()):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
            own = [it.value for it in model.trainable_variables]
            optimizer.apply(tape.gradient(loss, own), model.trainable_variables)
            watch.step(loss=loss)
    labels = [it.label for _, shapes in found[0].trail.with_shapes() for it in shapes]
    assert any(label.endswith("kernel") for label in labels)
    assert any("momentum" in label for label in labels)
    fits = found[0].manifest.description.fits
    assert not isinstance(fits, Unavailable)
    assert isinstance(fits[0].optimizer, dict)
    assert fits[0].optimizer["class_name"] == "Adam"
    assert isinstance(fits[0].architecture, dict)
    assert fits[0].architecture["class_name"] == "Sequential"


def test_an_unbuilt_model_has_no_initial_weights_and_says_why(offline: Young) -> None:
    with recording(offline) as found:
        model = library.Sequential([library.layers.Dense(1)])
        watch = wandb_repro.watch(model)
        for batch in watch.batches(DATA):
            watch.step(loss=tf.reduce_sum(model(batch)))
    (missing,) = found[0].trail.of(Missing)
    assert missing.moment == "initial"
    assert "was not built when training began" in missing.reason
    assert found[0].moments()[0] == ("step", 0, 1)


def test_values_that_are_no_single_number_are_named_once(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)
        for _ in range(2):
            watch.step(loss=math.nan, images=np.ones((2, 2)), d_loss=None, one=np.ones((1, 1)))
        watch.epoch(report="fine", val=1)
    told = capsys.readouterr().err
    assert told.count("watch.step(images=...)") == 1
    assert told.count("watch.epoch(report=...)") == 1
    assert "d_loss" not in told
    assert all(math.isnan(value) for value in losses(found[0]))
    assert losses(found[0], name="one") == [1.0, 1.0]
    assert found[0].at("epoch").metrics == {"val": (1.0).hex()}


def test_an_exception_leaves_what_was_recorded_and_no_final_weights(offline: Young) -> None:
    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)

        def train() -> None:
            with watch:
                watch.step(loss=line.step())
                raise KeyError("x")

        with pytest.raises(KeyError):
            train()
        watch.step(loss=line.step())
    assert found[0].moments() == [("initial", 0, 0), ("step", 0, 1)]
    assert losses(found[0]) == [4.0]
    assert found[0].trail.end is not None
    assert found[0].trail.end.status == "finished"


def test_a_watch_used_after_its_end_says_so(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line()
    with recording(offline):
        watch = wandb_repro.watch(line.variable)
        watch.step()
        watch.finish()
        watch.step()
    assert "a watch was used after it finished" in capsys.readouterr().err


def test_two_watches_in_turns_and_nested_are_two_trainings(offline: Young) -> None:
    one, two = Line("one"), Line("two")
    with recording(offline) as found:
        first = wandb_repro.watch(one.variable)
        second = wandb_repro.watch(two.variable)
        for batch in first.batches(DATA):
            for inner in second.batches(DATA[:2]):
                second.step(loss=two.step(inner))
            first.step(loss=one.step(batch))
    assert found[0].moments(1)[-1] == ("final", 0, 3)
    assert found[0].moments(2)[-1] == ("final", 0, 6)
    assert losses(found[0], 1) == [2.0, 16.0, 42.0]


def test_a_watch_inside_a_function_ends_with_it_and_keeps_no_model(offline: Young) -> None:
    import weakref

    gone: list[Any] = []

    def train() -> None:
        model = dense_model()
        watch = wandb_repro.watch(model)
        for _ in watch.batches(DATA):
            watch.step(loss=1.0)
        gone.append(weakref.ref(watch))

    with recording(offline) as found:
        train()
        gc.collect()
        assert gone[0]() is None
    assert found[0].moments()[-1] == ("final", 0, 3)


def test_with_nothing_to_watch_losses_are_recorded_and_the_reason_why_no_more(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(offline) as found:
        watch = wandb_repro.watch()
        watch.step(loss=1.0)
    assert "nothing is watched: pass the models" in capsys.readouterr().err
    assert {it.moment for it in found[0].trail.missing} == {"initial", "step", "final"}
    assert losses(found[0]) == [1.0]


def test_the_state_that_a_step_is_given_is_digested(offline: Young) -> None:
    with recording(offline) as found:
        watch = wandb_repro.watch()
        for step in range(3):
            watch.step({"w": np.full(2, step), "count": step}, loss=step)
    assert found[0].moments() == [("step", 0, 1), ("final", 0, 3)]
    *_, (_, shapes) = found[0].trail.with_shapes()
    assert [(it.group, it.label) for it in shapes] == [("state", "['count']"), ("state", "['w']")]


def test_a_state_that_cannot_be_read_is_missing_with_its_reason(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        dtype, shape = np.dtype("float32"), ()

        def __array__(self, *_: object, **__: object) -> Any:
            raise RuntimeError("array has been deleted")

    with recording(offline) as found:
        watch = wandb_repro.watch()
        watch.step({"w": Gone()}, loss=1.0)
    assert "array has been deleted" in capsys.readouterr().err
    assert found[0].moments() == []
    assert "deleted" in found[0].trail.missing[-1].reason


def test_a_batch_that_cannot_be_digested_does_not_stop_the_loop(offline: Young) -> None:
    with recording(offline) as found:
        watch = wandb_repro.watch(tf.Variable(0.0))
        for _ in watch.batches([object(), object()]):
            watch.step()
    seen = list(found[0].trail.of(Seen))
    assert isinstance(seen[-1].batches, Unavailable)


def test_a_step_inside_a_traced_function_is_named_and_not_counted(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    variable = tf.Variable(0.0)
    with recording(offline) as found:
        watch = wandb_repro.watch(variable)

        @tf.function
        def step() -> Any:
            variable.assign_add(1.0)
            watch.step(loss=variable)

        for _ in watch.batches(DATA):
            step()
    assert "a function that is traced" in capsys.readouterr().err
    assert found[0].moments() == [("initial", 0, 0), ("final", 0, 0)]


def test_without_a_run_the_loop_trains_and_a_warning_says_that_nothing_is_recorded(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    line = Line()
    watch = wandb_repro.watch(line.variable)
    for batch in watch.batches(DATA):
        watch.step(loss=line.step(batch))
    watch.epoch()
    watch.finish()
    assert float(line.variable) == 21.0
    assert capsys.readouterr().err.count("no W&B run is active, so this loop") == 1


def test_a_run_that_the_script_began_is_attached_to(offline: Young) -> None:
    import wandb

    del offline
    line = Line()
    run = wandb.init(project="p")
    watch = wandb_repro.watch(line.variable, run=run)
    watch.step(loss=line.step())
    assert finished(run).moments() == [("step", 0, 1), ("final", 0, 1)]


@pytest.mark.parametrize("steps", [0, [], {3, -1}])
def test_steps_below_one_are_refused(steps: Any) -> None:
    with pytest.raises(UsageError, match="is not a number of steps"):
        wandb_repro.watch(tf.Variable(0.0), steps=steps)


def test_steps_from_several_threads_are_all_counted(offline: Young) -> None:
    import threading

    line = Line()
    with recording(offline) as found:
        watch = wandb_repro.watch(line.variable)

        def train() -> None:
            for _ in range(50):
                watch.step(loss=1.0)

        threads = [threading.Thread(target=train) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(losses(found[0])) == 150
    assert found[0].moments()[-1] == ("final", 0, 150)
