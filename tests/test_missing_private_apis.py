"""Without a private name of another library, training continues and something says what is missing.

Each test takes one name away where that leaves the library itself in order.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from wandb_repro.child.no_publish import hold_back
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording import process_exit
from wandb_repro.recording.messages import forget
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import model_was_built, seeds_of_script


def empty(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Put a module without any name in the place of another."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))


def test_the_scripts_own_seed_is_unknown_without_keras_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty(monkeypatch, "keras.src.backend.common.global_state")
    empty(monkeypatch, "tensorflow.python.eager.context")
    assert seeds_of_script(3) == {}
    assert not model_was_built()


class Run:
    """A run that W&B ends without its teardown hooks."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def finish(self) -> None:
        self.ended.append("by W&B")


@pytest.mark.parametrize("gone", ["TeardownHook", "TeardownStage"])
def test_a_record_is_closed_before_the_run_without_w_and_bs_hooks(
    monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.delattr(importlib.import_module("wandb.sdk.wandb_run"), gone)
    monkeypatch.setattr(process_exit, "_watch_process", lambda: None)
    monkeypatch.setattr(process, "watched", [])  # nobody else's exit is to be noted in this one
    run = Run()
    session = SimpleNamespace(ended=False, finish=lambda: run.ended.append("by us"))
    process_exit.end_with(run, cast("Any", session))
    session.ended = True
    run.finish()
    assert run.ended == ["by us", "by W&B"]


def fit_of(**attributes: Any) -> dict[str, Any]:
    return {"epoch_iterator": SimpleNamespace(**attributes)}


def ignore(_: int, __: object) -> None: ...


@pytest.mark.parametrize(
    ("fit", "reason"),
    [({}, "no pipeline that a callback can see"), (fit_of(), "distributed over devices")],
)
def test_batches_are_unavailable_without_keras_iterator(fit: dict[str, Any], reason: str) -> None:
    from wandb_repro.keras.batch_tap import watch

    found = watch(fit, ignore)
    assert isinstance(found, Unavailable)
    assert reason in str(found)


def test_variables_are_read_one_by_one_without_tensorflows_operation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import keras

    from wandb_repro.state.keras_state import reading

    variable: Any = cast("Any", keras).Variable([1.0, 2.0])
    empty(monkeypatch, "tensorflow.python.eager.execute")
    (array,) = reading([variable])()
    assert np.asarray(array).tolist() == [1.0, 2.0]


def test_shuffled_data_says_that_keras_may_shuffle_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from wandb_repro.keras import shuffled

    dataset = shuffled(np.arange(8), batch_size=4, seed=1)
    fit = fit_of(data_adapter=SimpleNamespace())

    def around(_: object) -> dict[str, Any]:
        return fit

    module = sys.modules["wandb_repro.keras.shuffled_dataset"]
    monkeypatch.setattr(module, "_fit_around", around)
    forget()
    cast("Any", dataset).on_epoch_begin()
    assert "may shuffle the batches of shuffled() once more" in capsys.readouterr().err


def test_a_rerun_does_not_start_where_it_finds_no_artifacts_to_hold_back() -> None:
    with pytest.raises(AttributeError):
        hold_back(SimpleNamespace(use_artifact=print), ModuleType("wandb"))
