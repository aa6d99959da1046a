"""Trainings by Keras 2, seen through a stand-in for its package."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from tests.support.records import end, full_manifest, moments, rerun_manifest, trail
from wandb_repro.manifest.trail_records import Inventory
from wandb_repro.state.legacy_keras import NOTE, watch_legacy_keras
from wandb_repro.state.registry import Registry
from wandb_repro.verify.audit import audit
from wandb_repro.verify.verdict import judge


class Model:
    """Trains as a model of Keras 2 does."""

    def make_train_function(self, force: bool = False) -> str:
        return f"{force}"

    def fit(self) -> str:
        self.train_function = self.make_train_function()
        return self.train_function

    def train_on_batch(self) -> str:
        return self.make_train_function(force=True)


class Overriding(Model):
    def make_train_function(self, force: bool = False) -> str:
        return f"own {super().make_train_function(force)}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Give a registry that watches the stand-in."""
    monkeypatch.setattr(Model, "make_train_function", Model.make_train_function)
    found, module = Registry(), ModuleType("tf_keras")
    vars(module)["Model"] = Model
    watch_legacy_keras(found, module)
    return found


def test_a_model_that_is_only_made_is_no_training(registry: Registry) -> None:
    Model()
    assert not registry.notes


@pytest.mark.parametrize(
    ("train", "answer"),
    [
        (lambda: Model().fit(), "False"),
        (lambda: Model().train_on_batch(), "True"),
        (lambda: Overriding().fit(), "own False"),
    ],
)
def test_each_training_is_noted_once_and_goes_on_as_ever(
    registry: Registry, train: Any, answer: str
) -> None:
    assert (train(), train()) == (answer, answer)
    assert list(registry.notes) == [NOTE]


def test_a_model_that_trained_before_the_run_began_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Model, "make_train_function", Model.make_train_function)
    models = [Model(), Model()]
    registry, module = Registry(), ModuleType("tf_keras")
    vars(module)["Model"] = Model
    watch_legacy_keras(registry, module)
    registry.search()
    assert not registry.notes

    vars(models[0])["train_function"] = "made before"
    watch_legacy_keras(registry, module)
    registry.search()
    assert list(registry.notes) == [NOTE]


def test_a_module_that_only_has_this_name_is_left_alone() -> None:
    watch_legacy_keras(Registry(), ModuleType("tf_keras"))


def test_a_run_that_trained_with_it_is_never_identical_and_says_so() -> None:
    noted = trail([*moments(), Inventory(things=(), notes=(NOTE,)), end()], ended=False)

    verdict = judge(full_manifest(), noted, rerun_manifest(), noted)

    assert verdict.grade == "inconclusive"
    assert NOTE in verdict.reasons[0]
    assert any(NOTE in finding.sentence for finding in audit(full_manifest(), noted))
