"""``init`` alone records every ``fit``, once, and trains as without us."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.support.recording import callback, fit, keras, recording
from tests.support.training import Young, data, dense_model, recorded_in
from wandb_repro.recording.process_state import process
from wandb_repro.verify.undigested import undigested

SILENT: dict[str, Any] = {"epochs": 1, "verbose": 0}


def test_each_fit_is_recorded_however_it_is_called(offline: Young) -> None:
    class Own(keras().Sequential):
        def fit(self, *positional: Any, **options: Any) -> Any:
            return keras().Sequential.fit(self, *positional, **options)

    def own() -> Any:
        model = Own([keras().Input((4,)), keras().layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=False)
        return model

    x, y = data()
    model = dense_model()
    taken_before = model.fit
    with recording(offline) as found:
        taken_before(x, y, **SILENT)
        keras().Model.fit(model, x, y, 4, 1, 0, [keras().callbacks.History()])
        own().fit(x, y, **SILENT, callbacks=keras().callbacks.History())
        mine = keras().callbacks.CallbackList(add_history=True, model=model)
        model.fit(x, y, **SILENT, callbacks=mine)
        model.fit(x, y, **SILENT, callbacks=mine)
    (recorded,) = found
    end = recorded.trail.end
    assert end is not None
    assert (end.status, end.fits) == ("finished", 5)
    for number in range(1, 6):
        assert [moment for moment, _, _ in recorded.moments(number)] == [
            *("initial", "step", "epoch", "final")
        ]
    assert recorded.manifest.description.every_fit is True


def test_our_callback_in_the_list_records_the_fit_alone_with_its_options(offline: Young) -> None:
    with recording(offline) as found:
        fit(dense_model(), callback(steps=2))
        dense_model().fit(*data(), batch_size=4, **SILENT)
    (recorded,) = found
    assert [number for number in (1, 2, 3) if recorded.moments(number)] == [1, 2]
    steps = [step for moment, _, step in recorded.moments(1) if moment == "step"]
    assert steps == [1, 2, 4, 6]
    assert [step for moment, _, step in recorded.moments(2) if moment == "step"] == [1]


def test_a_fit_belongs_to_the_run_that_is_active_and_to_none_after_its_end(
    offline: Young,
) -> None:
    import wandb_repro

    model = dense_model()
    mine = keras().callbacks.CallbackList(add_history=True, model=model)
    folders: list[str] = []
    for _ in range(2):
        run = wandb_repro.init(project="p", code="off")
        model.fit(*data(), **SILENT, callbacks=mine)
        folders.append(run.dir)
        run.finish()
        model.fit(*data(), **SILENT, callbacks=mine)  # belongs to no run
    for folder in folders:
        trail = recorded_in(folder).trail
        assert trail.end is not None
        assert trail.end.fits == 1
        (doubt,) = undigested(trail)
        assert "trained after the run had ended" in doubt


def test_runs_one_after_another_leave_no_doubt(offline: Young) -> None:
    import wandb_repro

    folders: list[str] = []
    for _ in range(2):
        run = wandb_repro.init(project="p", code="off")
        dense_model().fit(*data(), **SILENT)
        folders.append(run.dir)
        run.finish()
    dense_model().evaluate(*data(), verbose=0)
    assert [undigested(recorded_in(folder).trail) for folder in folders] == [(), ()]


def test_a_run_that_the_script_did_not_ask_us_to_record_is_left_alone(offline: Young) -> None:
    import wandb

    import wandb_repro

    wandb_repro.init(project="p", code="off").finish()
    run = wandb.init(project="theirs")
    dense_model().fit(*data(), **SILENT)
    assert not recorded_in(run.dir).capsule.folder.exists()
    run.finish()


def test_a_disabled_run_records_nothing(offline: Young) -> None:
    import wandb_repro

    run = wandb_repro.init(project="p", mode="disabled")
    dense_model().fit(*data(), **SILENT)
    assert process.sessions == {}
    assert not process.records_every_fit
    run.finish()


class Counting:
    """Counts how often the step is traced, and how often it runs."""

    def __new__(cls) -> Any:
        class Model(keras().Sequential):
            traces = 0

            def train_step(self, data: Any) -> Any:
                type(self).traces += 1
                return keras().Sequential.train_step(self, data)

        return Model


@pytest.mark.parametrize("steps_at_once", [1, 2])
def test_the_graph_is_traced_and_runs_as_often_as_without_us(
    offline: Young, steps_at_once: int
) -> None:
    def trained() -> tuple[object, ...]:
        kind = Counting()
        keras().utils.set_random_seed(3)
        model = kind([keras().Input((4,)), keras().layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=False, steps_per_execution=steps_at_once)
        for _ in range(3):
            model.fit(*data(16), batch_size=4, epochs=2, verbose=0)
        weights = [value.tobytes() for value in model.get_weights()]
        options = (model.jit_compile, model.steps_per_execution, model.run_eagerly)
        return kind.traces, int(model.optimizer.iterations), options, weights

    without = trained()
    with recording(offline) as found:
        with_us = trained()
    assert with_us == without
    assert found[0].trail.end is not None
    assert found[0].trail.end.fits == 3


def test_nothing_is_patched_before_a_run_is_recorded(offline: Young) -> None:
    import wandb_repro

    assert wandb_repro.__version__
    assert not process.records_every_fit
    wandb_repro.init(project="p", code="off").finish()
    assert process.records_every_fit


def test_in_a_rerun_fits_are_recorded_as_in_the_original(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb_repro.recording import every_fit

    class Old:
        records_every_fit = False

    monkeypatch.setattr(every_fit, "current_mode", lambda: cast("Any", Old()))
    every_fit.record_every_fit()
    assert not process.records_every_fit


def test_a_fit_that_no_run_records_is_noted_where_somebody_wants_to_know(offline: Young) -> None:
    noted: list[str] = []
    with recording(offline):
        dense_model().fit(*data(), **SILENT)
        process.note_training = lambda: noted.append("a fit")
        dense_model().fit(*data(), **SILENT)
        assert noted == []
    process.note_training = lambda: noted.append("a fit")
    dense_model().fit(*data(), **SILENT)
    assert noted == ["a fit"]
