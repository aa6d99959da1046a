from __future__ import annotations

import pytest

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Loaded, Packages
from wandb_repro.rerun.environment.dependencies import needed_by_run


def _one(name: str, *requires: str, **changes: object) -> Distribution:
    plain = Distribution(
        name=name,
        version="1.0",
        origin="index",
        installer="uv",
        tags=("py3-none-any",),
        record_digest="0" * 64,
        requires=requires,
    )
    return plain.model_copy(update=changes)


def _packages(*found: Distribution, start: str = "", end: str | None = "") -> Packages:
    here = probe_packages(Host())
    assert isinstance(here, Packages)
    killed = Unavailable(unavailable="the run has not ended")
    loaded = Loaded(
        at_start=tuple(start.split()), at_end=killed if end is None else tuple(end.split())
    )
    changes = {"distributions": found, "loaded": loaded}
    return here.model_copy(update=changes)


def _needed(*found: Distribution, start: str = "", end: str | None = "") -> str:
    needed = needed_by_run(_packages(*found, start=start, end=end))
    names = {each.name for each in needed.packages.distributions}
    assert names.isdisjoint(needed.left_out)
    assert names | set(needed.left_out) == {each.name for each in found}
    return " ".join(sorted(names))


def test_what_was_loaded_at_any_time_and_all_that_it_requires_is_needed() -> None:
    found = (_one("a", "b>=1"), _one("b", "c"), _one("c"), _one("d", "e"), _one("e"), _one("f"))
    assert _needed(*found, start="a", end="d") == "a b c d e"


def test_a_circle_of_requirements_ends() -> None:
    assert _needed(_one("a", "b"), _one("b", "a"), start="a") == "a b"


def test_this_package_and_what_it_requires_are_always_needed() -> None:
    assert _needed(_one("wandb-repro", "wandb"), _one("wandb"), _one("x")) == "wandb wandb-repro"


def test_what_is_installed_in_place_is_always_needed() -> None:
    assert _needed(_one("mine", origin="editable"), _one("x")) == "mine"


@pytest.mark.parametrize(
    ("requirement", "needed"),
    [
        ('b; python_version < "3"', "a"),
        ('b; sys_platform == "win32"', "a"),
        ('b; sys_platform == "linux"', "a b"),
        ('b; implementation_name == "cpython"', "a b"),
        ('b; extra == "more"', "a b"),
        ("B[extra]>=1.0", "a b"),
        ("b @ https://index.example/b.whl", "a b"),
    ],
)
def test_conditions_of_a_requirement_count(requirement: str, needed: str) -> None:
    assert _needed(_one("a", requirement), _one("b"), start="a") == needed


@pytest.mark.parametrize(
    "requirement", ["b ;;; nonsense", "b; " + "(" * 5_000, "b; no_such_name == '1'"]
)
def test_a_requirement_that_cannot_be_read_counts_without_its_conditions(requirement: str) -> None:
    assert _needed(_one("a", requirement), _one("b"), start="a") == "a b"


@pytest.mark.parametrize(
    ("group", "needed"),
    [("host.plugins", "host p"), ("host_plugins", "host p"), ("host11", "host p"), ("x", "host")],
)
def test_a_plugin_of_something_needed_is_needed(group: str, needed: str) -> None:
    assert _needed(_one("host"), _one("p", plugin_groups=(group,)), start="host") == needed


def test_after_a_kill_everything_is_needed() -> None:
    assert _needed(_one("a"), _one("b"), start="a", end=None) == "a b"


def test_where_it_was_not_recorded_everything_is_needed() -> None:
    packages = _packages(_one("a"), _one("b"))
    unknown = packages.model_copy(update={"loaded": Unavailable(unavailable="an older record")})
    assert needed_by_run(unknown).packages == unknown
    assert needed_by_run(unknown).left_out == ()


def test_the_digest_is_that_of_what_is_left() -> None:
    packages = _packages(_one("a"), _one("b"), start="a")
    alone = _packages(_one("a"), start="a")
    assert (
        needed_by_run(packages).packages.digest
        == needed_by_run(_packages(_one("a"), _one("c"), start="a")).packages.digest
    )
    assert needed_by_run(packages).packages.distributions == alone.distributions
