"""Seeds that cannot be set, and trainings that must not notice us; in this process."""

from __future__ import annotations

from typing import Any, NoReturn, cast

import pytest

from tests.support.training import Young, dense_model, recorded_in, tensorflow_data
from wandb_repro.digest import Array, leaf_digest

ERRORS = (RuntimeError("planted"), MemoryError(), KeyError("planted"))
SEEDING = ("random.seed", "model_was_built", "seeds_of_script", "after_import")


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("place", SEEDING)
@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_seed_that_cannot_be_set_is_told_of_and_the_run_is_given(
    offline: Young, place: str, error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb_repro

    def broken(*_: object, **__: object) -> NoReturn:
        raise error

    offline.monkeypatch.setattr(f"wandb_repro.recording.seeding.{place}", broken)
    run = wandb_repro.init(project="p", seed=3, code="off")
    assert not run.disabled
    said = capfd.readouterr().err.splitlines()
    assert len([line for line in said if "this run is not recorded" in line]) <= 1
    assert sum("warning" in line for line in said) <= 2, said


@pytest.mark.usefixtures("lenient")
@pytest.mark.parametrize("target", ["tensorflow.random.set_seed", "numpy.random.seed"])
def test_a_generator_that_refuses_its_seed_is_told_of_and_the_others_are_seeded(
    offline: Young, target: str, capfd: pytest.CaptureFixture[str]
) -> None:
    import wandb_repro

    def refuse(*_: object) -> NoReturn:
        raise RuntimeError("no seed taken")

    offline.monkeypatch.setattr(target, refuse)
    run = wandb_repro.init(project="p", seed=3, code="off")
    offline.monkeypatch.undo()
    run.finish()
    told = capfd.readouterr().err
    module = target.partition(".")[0]
    assert f"setting up {module}: RuntimeError: no seed taken" in told
    manifest = recorded_in(run.dir).manifest
    assert "generator='python'" in str(manifest.description.seeds)
    assert f"generator='{module}'" not in str(manifest.description.seeds)


def test_shuffled_data_is_shuffled_as_without_us(offline: Young) -> None:
    import keras

    import wandb_repro
    from wandb_repro.keras import ReproCallback

    found: list[list[str]] = []
    for recorded in (False, True):
        offline.begin()
        offline.forget_keras()
        cast("Any", keras).utils.set_random_seed(9)
        run = wandb_repro.init(project="p", code="off") if recorded else None
        model = dense_model()
        ours = [cast("Any", ReproCallback(steps=1))] if recorded else []
        model.fit(tensorflow_data(), epochs=2, verbose=0, callbacks=ours)
        found.append([leaf_digest(cast("Array", one)) for one in model.get_weights()])
        if run is not None:
            run.finish()
    assert found[0] == found[1]
