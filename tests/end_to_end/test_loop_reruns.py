"""A loop's rerun is compared live: it stops where asked or at a difference, whose step is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Answer, Ask, Project

STEPS = '''\
"""Trains four numbers of NumPy in a loop of its own, three epochs of four steps."""

import os

import numpy as np
from network import SIZE

import wandb_repro

run = wandb_repro.init(project="loop", config={"epochs": 3}, seed=7)
state = {"kernel": np.random.normal(size=SIZE), "bias": np.random.normal(size=2)}
batches = [np.random.normal(size=SIZE) for _ in range(4)]
step = 0
watch = wandb_repro.watch(state)
for epoch in range(run.config["epochs"]):
    for batch in watch.batches(batches):
        step += 1
        state["kernel"] += batch
        state["bias"] += 1
        if step == 7 and os.environ.get("TF_NUM_INTRAOP_THREADS", "") != "2":
            state["bias"][1] += 0.001
        watch.step(loss=state["kernel"].sum())
    watch.epoch(norm=np.linalg.norm(state["kernel"]))
'''

HERE = ("--env", "here", "--yes", "--json")


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the project of a loop; its seventh step depends on a variable of the environment."""
    project = Project.made(tmp_path_factory.mktemp("loop") / "project", STEPS)
    assert project.record("train.py", TF_NUM_INTRAOP_THREADS="2").returncode == 0
    return project


def rerun(loop: Project, tmp_path: Path, ask: Ask, *words: object) -> Answer:
    return ask("rerun", loop.capsule.folder, *words, *HERE, cwd=tmp_path)


@pytest.mark.slow
def test_a_loop_is_rerun_identically(loop: Project, tmp_path: Path, ask: Ask) -> None:
    answer = rerun(loop, tmp_path, ask)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["metric_epochs"] == answer.data["metrics_equal_bits"] == 3


@pytest.mark.slow
def test_a_rerun_stops_at_the_step_it_was_asked_for(
    loop: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = rerun(loop, tmp_path, ask, "--until-step", "6")
    assert answer.code == 0, answer.err
    assert "the rerun stops here" in answer.err


@pytest.mark.slow
def test_a_difference_stops_the_rerun_and_its_step_is_found(
    loop: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = rerun(loop, tmp_path, ask, "--threads", "1", "--bisect")
    assert answer.code == 1, answer.err
    assert "differs from the original at the end of epoch 2" in answer.err
    assert answer.data["first"]["epoch"] == 2
    found = answer.data["bisection"]["first"]
    assert (found["moment"], found["step"]) == ("step", 7)
    assert [leaf["label"] for leaf in found["leaves"]] == ["['bias']"]
