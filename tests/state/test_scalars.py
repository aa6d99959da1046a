from __future__ import annotations

import math
from typing import Any, cast

import keras
import numpy as np
import pytest
import tensorflow

from wandb_repro.state import scalars
from wandb_repro.state.scalars import NotANumber, keep, numbers_of

tf: Any = cast("Any", tensorflow)


@pytest.mark.parametrize(
    "value",
    [0.5, 1, True, np.float32(0.25), np.array(2.0), np.array([[3.0]]), tf.constant(0.1), "tensor"],
    ids=str,
)
def test_a_number_of_any_kind_is_kept_to_the_last_bit(value: Any) -> None:
    value = tf.constant([0.3]) if isinstance(value, str) else value
    expected = float(np.asarray(value).item())
    assert numbers_of([keep(value)]) == [expected]


def test_nan_is_a_number() -> None:
    (nan,) = numbers_of([keep(tf.constant(math.nan))])
    assert nan is not None
    assert math.isnan(nan)


@pytest.mark.parametrize(
    "value",
    [np.ones(2), tf.ones((2, 1)), "text", b"1.5", [1.0], None, 1j, tf.constant("a")],
    ids=str,
)
def test_anything_else_is_refused_or_has_no_number(value: Any) -> None:
    try:
        kept = keep(value)
    except NotANumber:
        return
    assert numbers_of([kept]) == [None]


def test_what_may_be_overwritten_is_read_at_once() -> None:
    array, variable = np.array(1.0), tf.Variable(1.0)
    of_keras = cast("Any", keras).Variable(1.0)
    kept = [keep(array), keep(variable), keep(of_keras)]
    array[...] = 2.0
    variable.assign(2.0)
    of_keras.assign(2.0)
    assert numbers_of(kept) == [1.0, 1.0, 1.0]


def test_a_tensor_is_not_read_when_it_is_kept() -> None:
    tensor = tf.constant(1.5)
    assert keep(tensor) is tensor


@pytest.mark.backend
def test_tensors_of_torch_are_copied_and_free_their_graph() -> None:
    torch: Any = pytest.importorskip("torch")
    total = torch.ones((), requires_grad=True) * 2
    kept = keep(total)
    total.detach().add_(1)
    assert not kept.requires_grad
    assert numbers_of([kept, 0.5, keep(torch.ones(1))]) == [2.0, 0.5, 1.0]
    with pytest.raises(NotANumber):
        keep(torch.ones(2))


@pytest.mark.backend
def test_arrays_of_jax_are_read_together_and_a_donated_one_is_missing() -> None:
    jax: Any = pytest.importorskip("jax")
    kept = [keep(jax.numpy.float32(0.1)), keep(jax.numpy.ones(()))]
    assert numbers_of([*kept, 3.0]) == [float(np.float32(0.1)), 1.0, 3.0]
    kept[0].delete()
    assert numbers_of(kept) == [None, 1.0]


def test_the_shape_of_a_tensor_is_read_in_a_slower_way_without_the_fast_one() -> None:
    class Kind:
        shape = (2,)

    class Fast(Kind):
        def _shape_tuple(self) -> tuple[int, ...]:
            return ()

    one = Fast()
    assert scalars.of_tensor(Fast)(one) is one
    with pytest.raises(NotANumber):
        scalars.of_tensor(Kind)(Kind())
