from __future__ import annotations

import pickle

from tests.support.training import Young
from wandb_repro.keras.copied_run import RunId, run_id, run_of


def test_no_run_stays_no_run() -> None:
    assert run_id(None) is None
    assert run_of(None) is None


def test_a_run_is_found_again_by_its_id_also_if_it_is_not_the_active_one(offline: Young) -> None:
    import wandb

    import wandb_repro

    active = wandb_repro.init(project="p", code="off", seed=1)
    other = wandb.init(project="p", reinit="create_new")
    wandb_repro.attach(other)
    for run in (active, other):
        copied = pickle.loads(pickle.dumps(run_id(run)))  # noqa: S301 - our own bytes
        assert run_of(copied) is run
    other.finish()
    active.finish()


def test_a_run_of_another_process_is_not_found() -> None:
    assert run_of(RunId("elsewhere")) is None
