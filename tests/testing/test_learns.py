from __future__ import annotations

from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits

from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_learns, assert_same_weights

K: Any = cast("Any", keras)
_DIGITS: Any = cast("Any", load_digits(return_X_y=True))
X = (_DIGITS[0] / 16).astype("float32")
Y = _DIGITS[1]


def _model(rate: float = 0.02, **compiled: object) -> Any:
    K.utils.set_random_seed(1)
    layers = [K.Input((64,)), K.layers.Dense(16, "relu"), K.layers.Dense(10, "softmax")]
    model = K.Sequential(layers)
    options: dict[str, object] = {"loss": "sparse_categorical_crossentropy", **compiled}
    model.compile(optimizer=K.optimizers.Adam(rate), jit_compile=False, **options)
    return model


def _negative(y: Any, p: Any) -> Any:
    del y
    return -K.ops.mean(p)


def _told(model: object, x: object = X, y: object = Y, **options: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_learns(model, x, y, steps=5, **options)
    return str(caught.value)


def test_a_model_that_learns_a_batch_by_heart_passes() -> None:
    assert_learns(_model(), X, Y)


@pytest.mark.slow
def test_the_first_batch_of_a_dataset_is_taken() -> None:
    dataset: Any = cast("Any", tf).data.Dataset.from_tensor_slices((X, Y)).batch(8)
    assert_learns(_model(), dataset, to=0.5)


def test_a_learning_rate_of_0_is_seen_by_what_never_moved() -> None:
    told = _told(_model(rate=0.0))
    assert told.startswith(
        "The model does not learn a batch of 16 examples by heart: its loss hardly moved.\n\n"
        "  loss            "
    )
    assert "learning rate 0\n  never moved     4 of 4 trainable variables\n" in told
    assert "-  no trainable variable moved: no gradient arrives, or it is multiplied by 0\n" in told


def test_a_layer_that_the_loss_does_not_reach_is_named() -> None:
    inputs = K.Input((64,))
    hidden = K.layers.Dense(8, name="cut_off")(inputs)
    cut = K.layers.Lambda(cast("Any", keras).ops.stop_gradient)(hidden)
    model = K.Model(inputs, K.layers.Dense(10, "softmax")(cut))
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        told = _told(model)
    assert "-  the loss does not reach 2 variables, first cut_off/kernel [64, 8]\n" in told


@pytest.mark.slow
def test_a_number_that_is_not_finite_is_found_in_the_data_or_in_the_loss() -> None:
    broken = X.copy()
    broken[3, 7] = np.nan
    assert "-  1 number of the batch is not finite\n" in _told(_model(), broken)
    told = _told(_model(rate=1e38))
    assert told.startswith("The model does not learn: its loss is ")
    assert "-  the loss stopped being a number at step " in told


@pytest.mark.slow
def test_a_model_that_learns_too_slowly_is_told_from_one_that_does_not() -> None:
    assert "-  it learns, but not fast enough\n" in _told(_model(rate=0.02))
    assert "-  the weights move and the loss hardly does\n" in _told(_model(rate=1e-7))


@pytest.mark.slow
def test_an_own_goal_can_be_stated() -> None:
    assert_learns(_model(), X, Y, below=2.0)
    negative = _model(loss=_negative)
    with pytest.raises(UsageError, match="Give the loss to reach by below="):
        assert_learns(negative, X, Y, steps=2)


def test_wrong_use_is_said() -> None:
    with pytest.raises(UsageError, match="takes a Keras model, not a str"):
        assert_learns("model", X, Y)
    with pytest.raises(UsageError, match="The model is not compiled"):
        assert_learns(K.Sequential([K.layers.Dense(1)]), X, Y)
    with pytest.raises(UsageError, match="x and y hold"):
        assert_learns(_model(), X[:4], Y[:3])


def test_models_are_compared_by_their_groups() -> None:
    one, two = _model(), _model()
    assert_same_weights(one, two)
    two.optimizer.learning_rate = 0.5
    assert_same_weights(one, two)
    with pytest.raises(AssertionError, match="first tensor    adam"):
        assert_same_weights(one, two, groups=["optimizer"])
    with pytest.raises(UsageError, match="Give two models, or the get_weights"):
        assert_same_weights(one, two.get_weights())
