"""What two scripts put into W&B's config after ``init``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.config_diff import config_differences
from wandb_repro.verify.verdict import judge

AT_INIT: dict[str, Any] = {"lr": 0.1, "layers": [64, 10]}


def with_config(manifest: Manifest, at_end: object, at_init: object = AT_INIT) -> Manifest:
    execution = manifest.execution.model_copy(update={"config": at_init})
    description = manifest.description.model_copy(update={"config": at_end})
    return manifest.model_copy(update={"execution": execution, "description": description})


def both(original: object, rerun: object) -> tuple[Manifest, Manifest]:
    return with_config(full_manifest(), original), with_config(rerun_manifest(), rerun)


def test_a_value_that_was_computed_is_compared() -> None:
    manifests = both({**AT_INIT, "threshold": 0.25}, {**AT_INIT, "threshold": 0.5})

    (found,) = config_differences(*manifests).differences

    assert str(found) == "config threshold: 0.25 in the original, 0.5 in the rerun"


@pytest.mark.parametrize("first", [True, False], ids=["the original", "the rerun"])
def test_a_value_that_only_one_set_is_a_difference(first: bool) -> None:
    more = {**AT_INIT, "classes": {"n": 3}}
    manifests = both(more, AT_INIT) if first else both(AT_INIT, more)

    (found,) = config_differences(*manifests).differences

    values = ('{"n": 3}', "not there") if first else ("not there", '{"n": 3}')
    assert (found.original, found.rerun) == values


def test_an_input_is_no_result() -> None:
    # verify of two runs that were started with other rates: their causes name it.
    original = with_config(full_manifest(), {"lr": 0.1}, {"lr": 0.1})
    rerun = with_config(rerun_manifest(), {"lr": 0.2}, {"lr": 0.2})

    assert config_differences(original, rerun).differences == ()


def test_an_input_that_a_script_changed_is_a_result() -> None:
    manifests = both({**AT_INIT, "lr": 0.2}, {**AT_INIT, "lr": 0.3})

    assert [each.key for each in config_differences(*manifests).differences] == ["lr"]


@pytest.mark.parametrize(
    ("name", "values"),
    [("started_time", (1, 2)), ("data", ("/a/x.csv", "/b/x.csv")), ("mine", (1, 2))],
    ids=["by its name", "a path", "by the script's rule"],
)
def test_what_may_differ_is_listed(name: str, values: tuple[Any, Any]) -> None:
    manifests = both(*({**AT_INIT, name: value} for value in values))

    found = config_differences(*manifests, patterns=["mine"])

    assert (found.differences, found.volatile) == ((), (f"config.{name}",))


def test_without_a_record_of_it_nothing_is_said() -> None:
    unknown = Unavailable(unavailable="W&B did not say")

    assert config_differences(*both(unknown, {**AT_INIT, "n": 1})) == ((), ())


def test_equal_weights_with_another_value_are_diverged() -> None:
    original, rerun = both({**AT_INIT, "n": 1}, {**AT_INIT, "n": 2})

    verdict = judge(original, trail(), rerun, trail())

    assert verdict.grade == "diverged"
    assert [str(each) for each in verdict.outputs] == [
        "config n: 1 in the original, 2 in the rerun"
    ]


@pytest.mark.parametrize(
    ("original", "rerun"),
    [
        ("Mon Nov 30 21:50:36 2026", "Tue Dec  1 08:01:02 2026"),
        ("digits-20261130-215036", "digits-20261201-080102"),
        ("run a1b2c3d4 of ada", "run e5f6a7b8 of ada"),
    ],
)
def test_a_text_that_differs_only_in_times_and_ids_may_differ(original: str, rerun: str) -> None:
    found = config_differences(*both({**AT_INIT, "name": original}, {**AT_INIT, "name": rerun}))
    assert (found.differences, found.volatile) == ((), ("config.name",))


def test_a_text_that_differs_beside_a_time_is_a_difference() -> None:
    texts = ("cats 2026-11-30", "dogs 2026-12-01")
    found = config_differences(*both(*({**AT_INIT, "name": text} for text in texts)))
    assert [each.key for each in found.differences] == ["name"]
