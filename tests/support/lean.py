"""A recorded run whose environment is what its script needs, and no more: quick to build again."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from tests.support.recorded import Project, with_manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

__all__ = ["lean", "leave_only", "packages_of"]


def packages_of(capsule: Capsule) -> Packages:
    """Return what a run recorded of its environment."""
    packages = read_manifest(capsule).execution.packages
    assert isinstance(packages, Packages)
    return packages


@pytest.fixture(scope="session")
def lean(numbers: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Give the training of four numbers as one recorded in an environment of some 40 packages."""
    project = numbers.copy(tmp_path_factory.mktemp("lean") / "project")
    leave_only(project)
    return project


def leave_only(project: Project, *more: str) -> None:
    """Take out of a record what neither the training of four numbers nor ``more`` needs."""
    needed = {*_needed(["numpy", "wandb-repro"], set()), *more}
    kept = [one for one in packages_of(project.capsule).distributions if one.name in needed]
    with_manifest(
        project,
        {
            "execution.packages.distributions": [one.model_dump(mode="json") for one in kept],
            "execution.packages.loaded": {"unavailable": "it is lean already"},
        },
    )


def _needed(names: list[str], seen: set[str]) -> Iterator[str]:
    for name in (re.sub(r"[-_.]+", "-", each).lower() for each in names):
        if name in seen:
            continue
        seen.add(name)
        yield name
        asked = map(Requirement, importlib.metadata.requires(name) or [])
        named = [
            one.name for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})
        ]
        yield from _needed(named, seen)
