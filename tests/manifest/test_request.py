"""The files that a rerun and its child process exchange, and the options of ``init``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from wandb_repro.manifest.request import (
    CHILDREN_VARIABLE,
    OPTIONS_VARIABLE,
    REQUEST_VARIABLE,
    Beginning,
    Options,
    RerunRequest,
    Whereabouts,
    own_search_path,
)

REQUEST: dict[str, Any] = {
    "capsule": "/capsule",
    "original": "ada/digits/a1b2c3d4",
    "code_root": "/code",
    "whereabouts": "/whereabouts.json",
    "keep_going": False,
    "until_epoch": None,
    "until_step": None,
    "allow_outputs": False,
}


def test_versions_find_each_others_request_by_the_same_variables() -> None:
    assert (REQUEST_VARIABLE, OPTIONS_VARIABLE) == ("WANDB_REPRO_ORDER", "WANDB_REPRO_OPTIONS")


def test_the_keys_of_a_request_are_those_that_every_version_reads() -> None:
    assert set(json.loads(RerunRequest.model_validate(REQUEST).model_dump_json())) == {
        *REQUEST,
        "steps_fit",
        "steps_after_epoch",
        "from_epoch",
        "from_fit",
        "beginnings",
        "rtol",
        "metrics",
    }


def test_a_request_without_options_compares_all_exactly() -> None:
    request = RerunRequest.model_validate(REQUEST)
    assert (request.from_epoch, request.from_fit, request.beginnings) == (None, 1, ())
    assert (request.rtol, request.metrics, request.steps_fit) == (None, {}, None)


def test_a_request_is_read_back_as_it_was_written() -> None:
    beginning = Beginning(fit=2, epoch=3, checkpoint="/c", checkpoint_sha256="0" * 64)
    request = RerunRequest.model_validate(
        {**REQUEST, "beginnings": (beginning,), "rtol": 1e-5, "metrics": {"loss": 0.1}}
    )
    assert RerunRequest.model_validate_json(request.model_dump_json()) == request


@pytest.mark.parametrize(
    "change", [{"unknown": 1}, {"keep_going": "yes"}, {"capsule": None}, {"until_epoch": 1.5}]
)
def test_a_request_that_is_not_understood_in_full_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RerunRequest.model_validate({**REQUEST, **change})


def test_the_child_names_its_capsule_run_and_page() -> None:
    with pytest.raises(ValidationError):
        Whereabouts.model_validate_json('{"capsule": "/c", "run": "a/b/c"}')
    found = Whereabouts.model_validate_json('{"capsule": "/c", "run": "a/b/c", "url": ""}')
    assert found.run == "a/b/c"


def test_options_may_come_from_json_with_lists() -> None:
    options = Options.model_validate_json('{"include": ["*.py"], "require": ["seed"]}')
    assert (options.include, options.require) == (("*.py",), ("seed",))


@pytest.mark.parametrize(
    "wrong",
    [
        {"include": [""]},
        {"exclude": ["a\nb"]},
        {"not_secret": ["a\x00"]},
        {"max_file_mb": 0},
        {"max_total_mb": float("inf")},
        {"max_untracked_files": -1},
        {"seed": "7"},
        {"sed": 7},
    ],
)
def test_an_option_with_an_impossible_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(wrong)


def test_the_variable_of_child_processes_is_none_that_wandb_warns_of() -> None:
    assert not CHILDREN_VARIABLE.startswith("WANDB_")


@pytest.mark.parametrize(
    ("value", "own"),
    [
        ("", []),
        ("/mine", ["/mine"]),
        ("/a/wandb_repro/recording/children/startup", []),
        ("/mine:/a/wandb_repro/recording/children/startup/:", ["/mine", ""]),
        ("/mine/recording/children/startup", ["/mine/recording/children/startup"]),
    ],
)
def test_the_folder_for_child_processes_is_told_from_the_users(value: str, own: list[str]) -> None:
    assert own_search_path(value) == own
