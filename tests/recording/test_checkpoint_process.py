"""What a checkpoint says of its process, compared with another process."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from tests.support.seeded import seeded, use_run
from wandb_repro.errors import CheckpointError
from wandb_repro.recording.checkpoint_process import (
    NOT_SEEDED,
    Unsaved,
    check_config,
    differences_of_process,
    seed_of_process,
    state_of_process,
)
from wandb_repro.recording.process_state import process

__all__ = ["seeded"]


def use_framework(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    found = ModuleType("jax")
    found.__dict__["__version__"] = version
    monkeypatch.setitem(sys.modules, "jax", found)


def test_the_same_process_has_no_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    use_run(monkeypatch, {"lr": 0.1, "repro": "ours"})
    use_framework(monkeypatch, "0.9")
    state = state_of_process(["jax", "a framework that is not loaded"])
    assert state == {"made_with": {"jax": "0.9"}, "seed": "7", "config": {"lr": "0.1"}}
    assert differences_of_process(state) == []


def test_another_seed_version_and_config_are_each_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_run(monkeypatch, {"lr": 0.1})
    use_framework(monkeypatch, "0.9")
    state = state_of_process(["jax"])
    state |= {"seed": "8", "config": {"lr": "0.2", "gone": "1"}}
    state["made_with"] |= {"torch": "2"}
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    use_framework(monkeypatch, "0.10")

    seed, config, version, gone = differences_of_process(state)

    assert seed.startswith("it was seeded with 8 and this process with 7")
    assert config == "config 'lr' was 0.2 and is 0.1"
    assert version == "it was made with jax 0.9 and this is 0.10"
    assert gone == "it was made with torch 2 and this is none"


def test_in_a_sweep_another_config_is_another_training(monkeypatch: pytest.MonkeyPatch) -> None:
    use_run(monkeypatch, {"lr": 0.2}, sweep_id=None)
    check_config({"lr": "0.1"})
    use_run(monkeypatch, {"lr": 0.2}, sweep_id="s1")
    check_config({"lr": "0.2"})
    with pytest.raises(CheckpointError, match="another run of the sweep: config 'lr'"):
        check_config({"lr": "0.1"})


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        ({"python": 3, "keras": 4, "tensorflow": 5}, "4"),
        ({"tensorflow": 5}, "5"),
        (dict[str, int](), None),
    ],
)
def test_the_seed_of_the_script_counts_where_we_set_none(
    seeds: dict[str, int], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seed_of_process() == "7"
    process.seeding = None

    def seeds_of_script(ours: int | None) -> dict[str, int]:
        assert ours is None
        return seeds

    place = "wandb_repro.recording.checkpoint_process.seeds_of_script"
    monkeypatch.setattr(place, seeds_of_script)
    assert seed_of_process() == expected


def test_what_is_not_saved_is_named_with_its_place_and_its_cure() -> None:
    assert str(Unsaved("a thing", "train.py:3", "save it")) == "a thing (train.py:3); save it"
    assert str(NOT_SEEDED).startswith("nothing was seeded")
    assert "()" not in str(NOT_SEEDED)
