"""Copies and pickles of callbacks and models: before, inside and after a fit."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.recording import callback, digests, fit, keras, recording
from tests.support.training import Young, dense_model, recorded_in, tensorflow_data

Copier = Callable[[Any], Any]


def pickled(given: Any) -> Any:
    return pickle.loads(pickle.dumps(given))  # noqa: S301 - our own bytes


COPIERS = pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickled])


def checkpoint(offline: Young, **options: Any) -> Any:
    from wandb_repro.keras import ReproCheckpoint

    return ReproCheckpoint(offline.folder / "checkpoints", **options)


@COPIERS
def test_callbacks_are_copied_before_a_run_exists(offline: Young, copier: Copier) -> None:
    ours = copier(callback(steps=2))
    saving = copier(checkpoint(offline))
    with recording(offline) as found:
        fit(dense_model(), ours, saving)
    assert ("step", 0, 2) in found[0].moments()
    assert len(list((offline.folder / "checkpoints").glob("*.ckpt"))) == 2


@COPIERS
def test_a_copy_records_into_the_same_run_with_the_same_options(
    offline: Young, copier: Copier
) -> None:
    with recording(offline) as found:
        original = [callback(steps=2), checkpoint(offline)]
        fit(dense_model(), *original)
        copies = [copier(each) for each in original]
        fit(dense_model(), *copies)
    assert found[0].moments(fit=2) == found[0].moments(fit=1)
    assert ("step", 0, 2) in found[0].moments(fit=2)


def test_the_run_that_was_given_is_that_of_the_copy(offline: Young) -> None:
    import wandb

    active = wandb.init(project="p")
    other = wandb.init(project="p", reinit="create_new")
    fit(dense_model(), *copy.deepcopy([callback(run=other)]))
    other.finish()
    active.finish()
    assert recorded_in(other.dir).moments()[-1] == ("final", 2, 6)
    assert not recorded_in(active.dir).capsule.folder.exists()


def test_each_trial_of_a_search_trains_with_deep_copies(offline: Young) -> None:
    # As KerasTuner does, which stops the search if the callbacks cannot be copied.
    given = [callback(steps=2), checkpoint(offline), keras().callbacks.EarlyStopping("loss")]
    with recording(offline) as found:
        for _ in range(3):
            fit(dense_model(), *copy.deepcopy(given))
    moments = [found[0].moments(fit=number) for number in (1, 2, 3)]
    assert moments[0] == moments[1] == moments[2]
    assert moments[0][-1] == ("final", 2, 6)


def test_subclasses_keep_their_own_attributes(offline: Young) -> None:
    from wandb_repro.keras import ReproCallback

    class Own(ReproCallback):
        def __init__(self) -> None:
            super().__init__()
            self.note = ["own"]

    ours = Own()
    copied = copy.deepcopy(ours)
    assert copied.note == ["own"]
    assert copied.note is not ours.note


class Copying:
    """Copies everything in the midst of a fit, and keeps the copies of the callbacks."""

    def __new__(cls, offline: Young, ours: list[Any], copies: list[Any]) -> Any:
        class Callback(keras().callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                for copier in (copy.copy, copy.deepcopy, pickled):
                    copies.append(copier(ours))
                for copier in (copy.deepcopy, pickled, keras().models.clone_model):
                    assert copier(self.model).count_params() == self.model.count_params()
                copy.deepcopy(self.model.optimizer)
                self.model.to_json()
                self.model.save(offline.folder / "saved.keras")
                again = keras().models.load_model(offline.folder / "saved.keras")
                assert digests(again.get_weights()) == digests(self.model.get_weights())

        return Callback()


@pytest.mark.filterwarnings("ignore:Skipping variable loading")  # by Keras, without us as well
def test_everything_is_copied_inside_a_fit_and_nothing_changes(offline: Young) -> None:
    with recording(offline) as plain:
        model = dense_model()
        fit(model, callback(steps=1))
    offline.forget_keras()
    copies: list[Any] = []
    ours = [callback(steps=1), checkpoint(offline)]
    with recording(offline) as found:
        copied = dense_model()
        fit(copied, *ours, Copying(offline, ours, copies))
        assert not any(each.model for pair in copies[1:3] for each in pair)
        fit(copy.deepcopy(copied), *copies[1])  # deep copied inside the first fit
    assert found[0].roots()[: len(plain[0].roots())] == plain[0].roots()
    assert found[0].moments(fit=2) == found[0].moments(fit=1)


def test_a_copy_of_keras_list_of_callbacks_acts_for_nobody(offline: Young) -> None:
    lists: list[Any] = []

    class Keeping(keras().callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            lists.append(pickled(edges(ours)))

    ours = callback()
    with recording(offline) as found:
        fit(dense_model(), ours, Keeping(), epochs=1)
    for edge in lists[0]:
        edge.on_train_begin()
        edge.on_train_end()
    assert found[0].moments()[-1] == ("final", 1, 3)


def edges(ours: Any) -> list[Any]:
    """Return what stands at the two ends of the list of the fit that runs."""
    first, *_, last = ours._callback_list.callbacks
    return [first, last]


def test_a_deep_copied_model_trains_to_the_same_bits_as_without_us(offline: Young) -> None:
    def trained(*callbacks: Any) -> list[str]:
        keras().utils.set_random_seed(2)
        model = dense_model(keras().layers.Dropout(0.3), keras().layers.Dense(1))
        for _ in range(2):
            model = copy.deepcopy(model)
            model.fit(
                tensorflow_data(), epochs=2, verbose=0, callbacks=list(copy.deepcopy(callbacks))
            )
        return digests(model.get_weights())

    plain = trained()
    offline.forget_keras()
    with recording(offline, seed=None):
        assert trained(callback(steps=1), checkpoint(offline)) == plain
