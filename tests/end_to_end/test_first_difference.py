"""Where two real trainings part is named: the fit, the step, the tensor in its model's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.training import Recorded, Young, data, dense_model, recorded_in
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.verify_capsules import verify_capsules


def keras() -> Any:
    import keras

    return keras


def callback() -> Any:
    from wandb_repro.keras import ReproCallback

    return ReproCallback(steps=1)


def fit(model: Any, x: Any = None, *callbacks: Any, epochs: int = 2) -> None:
    """Train epochs of three steps, each step recorded."""
    own, y = data()
    x = own if x is None else x
    options: dict[str, Any] = {"batch_size": 4, "shuffle": False, "epochs": epochs, "verbose": 0}
    model.fit(x, y, callbacks=[callback(), *callbacks], **options)


def spoiled() -> Any:
    """Return examples of which the sixth, in the second batch, is another."""
    x = data()[0].copy()
    x[5] = -x[5] - 1
    return x


def both(offline: Young, train: Callable[[bool], None]) -> Verdict:
    """Train twice, the second time with something changed, and return the verdict."""
    import wandb_repro

    found: list[Recorded] = []
    for change in (False, True):
        offline.begin()
        offline.forget_keras()
        run = wandb_repro.init(project="p", seed=5, code="off")
        train(change)
        run.finish()
        found.append(recorded_in(run.dir))
    return verify_capsules(found[0].capsule, found[1].capsule)


@pytest.mark.slow
def test_of_several_fits_the_one_that_differs_is_named_with_its_step(offline: Young) -> None:
    def train(change: bool) -> None:
        model = dense_model()
        fit(model)
        fit(model, spoiled() if change else None)

    verdict = both(offline, train)

    assert verdict.first is not None
    assert verdict.moved is not None
    assert (verdict.first.fit, verdict.first.step) == (2, 2)
    assert verdict.first.what == "step 2 (epoch 1) of fit 2"
    assert verdict.first.last_equal == "step 1 (epoch 1) of fit 2"
    assert verdict.moved.what == "data"


@pytest.mark.slow
def test_of_two_models_in_one_run_the_one_that_differs_is_named(offline: Young) -> None:
    def train(change: bool) -> None:
        layers = keras().layers
        one = dense_model()
        two = dense_model(layers.Dense(5, name="wide"), layers.Dense(1, name="last"))
        fit(one)
        fit(two, spoiled() if change else None)
        fit(one)

    verdict = both(offline, train)

    assert verdict.first is not None
    assert verdict.first.what == "step 2 (epoch 1) of fit 2"
    own = [leaf for leaf in verdict.first.leaves if leaf.group == "trainable"]
    labels = [leaf.label.partition("/")[2] for leaf in own]
    assert labels == ["wide/kernel", "wide/bias", "last/kernel", "last/bias"]
    assert [leaf.shape for leaf in own] == [(4, 5), (5,), (5, 1), (1,)]


@pytest.mark.slow
def test_two_models_that_train_in_turns_are_told_apart(offline: Young) -> None:
    def train(change: bool) -> None:
        one, two = dense_model(), dense_model()
        for turn in range(3):
            fit(one, epochs=1)
            fit(two, spoiled() if change and turn == 1 else None, epochs=1)

    verdict = both(offline, train)

    assert verdict.first is not None
    assert verdict.first.what == "step 2 (epoch 1) of fit 4"


@pytest.mark.slow
def test_a_model_that_grew_is_compared_as_it_is_then(offline: Young) -> None:
    def train(change: bool) -> None:
        model = dense_model()
        fit(model)
        model.add(keras().layers.Dense(1, name="grown"))
        model.compile("sgd", "mse", jit_compile=False)
        fit(model, spoiled() if change else None)

    verdict = both(offline, train)

    assert verdict.first is not None
    assert verdict.first.what == "step 2 (epoch 1) of fit 2"
    assert verdict.first.of_leaves > 5
    assert any("grown/kernel" in leaf.label for leaf in verdict.first.leaves)


@pytest.mark.slow
def test_a_model_that_grew_only_once_is_told_by_what_it_has(offline: Young) -> None:
    def train(change: bool) -> None:
        model = dense_model()
        fit(model)
        if change:
            model.add(keras().layers.Dense(1, name="grown"))
            model.compile("sgd", "mse", jit_compile=False)
        fit(model)

    verdict = both(offline, train)

    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.first.what == "the initial weights of fit 2"
    assert "variables" in verdict.first.structure


@pytest.mark.slow
def test_a_variable_that_grows_within_a_fit_is_told_where_it_comes(offline: Young) -> None:
    def growing() -> Any:
        class Growing(keras().callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if epoch == 0:
                    layer = self.model.layers[0]
                    layer._tracker.unlock()
                    layer.add_weight(shape=(2,), name="grown", initializer="zeros")

        return Growing()

    def train(change: bool) -> None:
        fit(dense_model(), None, *([growing()] if change else []))

    verdict = both(offline, train)

    assert verdict.grade == "diverged"
    assert verdict.first is not None
    assert verdict.first.structure
    assert verdict.first.fit == 1
    assert verdict.first.last_equal in ("the end of epoch 1", "step 6 (epoch 2)")


def nudging(step: int) -> Any:
    class Nudging(keras().callbacks.Callback):
        steps = 0

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.steps += 1
            if self.steps == step:
                bias = self.model.trainable_variables[1]
                bias.assign(bias + 1.0)

    return Nudging()


@pytest.mark.slow
def test_a_callback_that_changes_weights_between_steps_moved_the_state(offline: Young) -> None:
    def train(change: bool) -> None:
        fit(dense_model(), None, *([nudging(5)] if change else []))

    verdict = both(offline, train)

    assert verdict.first is not None
    assert verdict.moved is not None
    assert verdict.first.what == "step 5 (epoch 2)"
    assert verdict.moved.what == "state"
    assert verdict.causes[0].fact == "weights between steps"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["loss", "weights"])
def test_a_loss_and_a_gradient_that_moved_first_are_told_apart(offline: Young, what: str) -> None:
    """From the fifth step: another value of the loss, or only another gradient."""

    def step_model(change: bool) -> Any:
        import tensorflow

        tf: Any = tensorflow

        class Stepping(keras().Sequential):
            def train_step(self, data: Any) -> Any:
                x, y = data
                late = tf.cast(self.optimizer.iterations >= 4, "float32")
                with tf.GradientTape() as tape:
                    loss = self.compute_loss(x, y, self(x, training=True))
                    if change and what == "loss":
                        loss = loss * (1.0 + 0.5 * late)
                variables = self.trainable_variables
                found = tape.gradient(loss, variables)
                if change and what == "weights":
                    found = [one * (1.0 + 0.5 * late) for one in found]
                self.optimizer.apply_gradients(zip(found, variables, strict=True))
                for metric in self.metrics:
                    if metric.name == "loss":
                        metric.update_state(loss)
                return {metric.name: metric.result() for metric in self.metrics}

        layers = keras().layers
        model = Stepping([keras().Input((4,)), layers.Dense(3), layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=False)
        return model

    verdict = both(offline, lambda change: fit(step_model(change)))

    assert verdict.first is not None
    assert verdict.moved is not None
    assert verdict.first.what == "step 5 (epoch 2)"
    assert verdict.moved.what == what
