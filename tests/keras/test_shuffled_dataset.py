"""``shuffled``: another order in every epoch, keyed by seed and epoch, with nothing to save."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy
import pytest

from tests.support.recording import callback, keras, recording
from tests.support.training import Young, dense_model
from wandb_repro.errors import UsageError

np: Any = cast("Any", numpy)

X = np.arange(44, dtype="float32").reshape(11, 4) / 44
Y = X[:, :1]


def shuffled(*given: Any, **options: Any) -> Any:
    from wandb_repro.keras import shuffled

    return shuffled(*given, **options)


class Seen:
    """A callback that keeps the first input of every row that the model was trained on."""

    def __new__(cls) -> Any:
        base: Any = keras().Model

        class Kept(base):
            """Keeps what it was given, eagerly."""

            def train_step(self, data: Any) -> Any:
                self.seen.append(np.asarray(data[0])[:, 0].tolist())
                return base.train_step(self, data)

        inputs = keras().Input((4,))
        made: Any = Kept(inputs, keras().layers.Dense(1)(inputs))
        made.seen = []
        made.compile("sgd", "mse", run_eagerly=True)
        return made


def epochs_of(seen: list[list[float]], batches: int) -> list[list[float]]:
    """Return the rows of each epoch in their order."""
    return [_joined(seen[at : at + batches]) for at in range(0, len(seen), batches)]


def _joined(batches: Iterable[list[float]]) -> list[float]:
    return [value for batch in batches for value in batch]


def trained(dataset: Any, **options: Any) -> list[list[float]]:
    model = Seen()
    model.fit(dataset, verbose=0, **options)
    return epochs_of(model.seen, len(dataset))


@pytest.fixture(scope="module")
def whole() -> list[list[float]]:
    """Give the rows of four epochs, trained in one go."""
    return trained(shuffled(X, Y, 4, seed=3), epochs=4)


def test_every_epoch_shows_all_examples_in_an_order_of_its_own(whole: list[list[float]]) -> None:
    assert all(sorted(epoch) == sorted(X[:, 0].tolist()) for epoch in whole)
    assert len({tuple(epoch) for epoch in whole}) == 4


def test_fit_shows_the_order_that_is_told(whole: list[list[float]]) -> None:
    data = shuffled(X, Y, 4, seed=3)
    assert whole == [X[data.order_of(epoch), 0].tolist() for epoch in range(4)]
    loops = [[batch[0][:, 0].tolist() for batch in data.batches_of(it)] for it in range(4)]
    assert [_joined(loop) for loop in loops] == whole


def test_a_training_that_starts_at_epoch_n_gets_the_order_of_epoch_n(
    whole: list[list[float]],
) -> None:
    data = shuffled(X, Y, 4, seed=3)
    assert trained(data, initial_epoch=2, epochs=4) == whole[2:]
    assert trained(data, initial_epoch=1, epochs=2) == whole[1:2]  # the same object once more


@pytest.mark.parametrize("options", [{"shuffle": False}, {"shuffle": True}])
def test_keras_does_not_put_the_batches_in_another_order(
    whole: list[list[float]], options: dict[str, Any]
) -> None:
    assert trained(shuffled(X, Y, 4, seed=3), epochs=1, **options) == whole[:1]


def test_another_seed_is_another_order(whole: list[list[float]]) -> None:
    data = shuffled(X, Y, 4, seed=4)
    assert [X[data.order_of(epoch), 0].tolist() for epoch in range(4)] != whole


def test_parts_stay_together_in_nests_and_weights() -> None:
    data = shuffled({"a": X, "b": [X * 2]}, Y, 4, sample_weight=X[:, 1], seed=0)
    for x, y, weight in data.batches_of(5):
        assert (x["a"] * 2 == x["b"][0]).all()
        assert (x["a"][:, :1] == y).all()
        assert (x["a"][:, 1] == weight).all()


def test_its_seed_is_that_of_the_recorded_run(offline: Young) -> None:
    with recording(offline):
        data = shuffled(X, Y, 4)
        dense_model().fit(data, verbose=0, callbacks=[callback()])
    assert (data.order_of(0) == shuffled(X, Y, 4, seed=5).order_of(0)).all()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((X, Y[:3], 4), "the same number of examples, not 3, 11"),
        ((X[:0], Y[:0], 4), "the same number of examples, not 0"),
        ((X, Y, 0), "batch_size=0 is not a batch size"),
    ],
)
def test_what_cannot_be_is_refused(given: tuple[Any, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        shuffled(*given)


def test_a_part_of_an_epoch_is_refused() -> None:
    with pytest.raises(UsageError, match="steps_per_epoch=2, and shuffled\\(\\) has 3 batches"):
        trained(shuffled(X, Y, 4, seed=3), epochs=2, steps_per_epoch=2)
