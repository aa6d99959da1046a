"""What a training must not notice of us: models freed, functions traced as often, same bits."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from tests.support.recording import callback, digests, fit, keras, recording
from tests.support.training import Young, data, dense_model, tensorflow_data


def checkpoint(offline: Young) -> Any:
    from wandb_repro.keras import ReproCheckpoint

    return ReproCheckpoint(offline.folder / "checkpoints", resume=False)


def test_no_model_is_kept_alive_after_its_fit(offline: Young) -> None:
    ours = [callback(steps=1), checkpoint(offline)]
    with recording(offline):
        models = [trained(ours, x=tensorflow_data()), trained(ours, x=data()[0], y=data()[1])]
        gc.collect()
        assert [model() for model in models] == [None, None]


def test_no_model_is_kept_alive_after_the_run(offline: Young) -> None:
    ours = [callback(), checkpoint(offline)]
    model = dense_model()
    with recording(offline):
        fit(model, *ours)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_no_model_of_a_failed_fit_is_kept_alive_once_its_callback_is_gone(offline: Young) -> None:
    class Failing(keras().callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise ValueError("planted")

    with recording(offline):
        model = dense_model()
        with pytest.raises(ValueError, match="planted"):
            fit(model, callback(), checkpoint(offline), Failing())
        alive = weakref.ref(model)
        del model
        gc.collect()
        assert alive() is None


def trained(ours: list[Any], **options: Any) -> weakref.ref[Any]:
    model = dense_model()
    fit(model, *ours, **options)
    return weakref.ref(model)


def counting_model(**options: Any) -> tuple[Any, list[None]]:
    """Return a model whose own ``train_step`` notes each time that Python runs it: once a trace."""

    base: Any = keras().Model
    traced: list[None] = []

    class Counting(base):
        def __init__(self) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
            self.dense = keras().layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def train_step(self, *given: Any) -> Any:
            traced.append(None)
            return base.train_step(self, *given)

    model: Any = Counting()
    model.build((None, 4))
    model.compile(**{"optimizer": "adam", "loss": "mse", "jit_compile": False, **options})
    return model, traced


VARIANTS = pytest.mark.parametrize(
    "options",
    [{}, {"steps_per_execution": 2}, {"jit_compile": True}, {"run_eagerly": True}],
    ids=lambda options: next(iter(options), "plain"),
)


@VARIANTS
def test_training_is_traced_as_often_and_ends_with_the_same_bits(
    offline: Young, options: dict[str, Any]
) -> None:
    def run(*ours: Any) -> tuple[object, ...]:
        keras().utils.set_random_seed(3)
        model, traced = counting_model(**options)
        for _ in range(2):
            model.fit(
                tensorflow_data(),
                epochs=2,
                verbose=0,
                callbacks=list(ours),
                validation_data=tensorflow_data(),
            )
        model.fit(*data(), epochs=1, verbose=0, callbacks=list(ours))
        compiled = model.train_function
        count = getattr(compiled, "experimental_get_tracing_count", lambda: None)()
        return len(traced), count, model.jit_compile, digests(model.get_weights())

    plain = run()
    offline.forget_keras()
    with recording(offline, seed=None):
        assert run(callback(steps=1), checkpoint(offline)) == plain
