"""What a rerun may call of W&B: names that exist, and none that publishes."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import wandb

from wandb_repro.child.allowed_calls import API, API_PRIVATE_WRITES, ARTIFACT, MODULE, RUN

LISTS = {"run": RUN, "module": MODULE, "artifact": ARTIFACT, "api": API}
PUBLISHES = {
    "alert",
    "create_project",
    "create_run",
    "create_team",
    "delete",
    "invite",
    "link",
    "link_artifact",
    "link_model",
    "log_artifact",
    "log_code",
    "log_model",
    "save_artifact",
    "upload_file",
    "upsert_artifact",
}


@pytest.mark.parametrize("allowed", LISTS.values(), ids=LISTS)
def test_nothing_that_publishes_deletes_or_notifies_is_allowed(allowed: frozenset[str]) -> None:
    assert {name.rpartition(".")[2] for name in allowed} & PUBLISHES == set()


@pytest.mark.parametrize("name", ["save", "update"])
def test_what_only_logs_locally_on_a_run_writes_on_the_public_api(name: str) -> None:
    assert name not in API


def test_what_a_training_needs_is_allowed_of_its_run() -> None:
    assert {"log", "finish", "define_metric", "save", "use_artifact"} <= RUN
    assert {"init", "login", "finish"} <= MODULE


@pytest.mark.parametrize(
    ("owner", "allowed"), [(wandb.Run, RUN), (wandb.Artifact, ARTIFACT)], ids=["run", "artifact"]
)
def test_the_names_are_methods_of_this_w_and_b(owner: Any, allowed: frozenset[str]) -> None:
    methods = {name for name, _ in inspect.getmembers(owner, callable)}

    # Some names are of older versions; a misspelled list would match far fewer.
    assert len(allowed & methods) > len(allowed) / 2
    assert all(not name.startswith("_") for name in allowed)


def test_a_private_write_is_never_also_an_allowed_name() -> None:
    private = {name for names in API_PRIVATE_WRITES.values() for name in names}

    assert private
    assert private.isdisjoint(API)
