"""The record of the packages: what older records lack, and what a rerun refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.support.records import full_manifest
from wandb_repro.manifest.packages import Distribution, Interpreter, Packages


def packages_document() -> dict[str, Any]:
    return full_manifest().model_dump()["execution"]["packages"]


def test_packages_of_an_older_version_say_that_loads_and_edits_were_not_recorded() -> None:
    packages = Packages.model_validate(packages_document())

    assert str(packages.loaded) == "loaded packages were not recorded"
    assert str(packages.altered) == "edits by hand were not recorded"
    assert (packages.shadowed, packages.unowned) == ((), ())


def test_packages_of_an_older_version_are_written_again_as_they_were() -> None:
    older = packages_document()

    written = Packages.model_validate(older).model_dump()

    assert written == older
    assert written.keys() == {"interpreter", "distributions", "digest"}


def test_an_added_field_is_written_once_it_has_a_value() -> None:
    distribution = {**packages_document()["distributions"][0], "requires": ("numpy>=2",)}

    assert Distribution.model_validate(distribution).model_dump() == distribution


@pytest.mark.parametrize("repacked", [None, {"unavailable": "its files are gone"}])
def test_a_package_may_have_no_wheel_of_its_own(repacked: object) -> None:
    document = {**packages_document()["distributions"][3], "repacked": repacked}

    assert Distribution.model_validate(document).model_dump()["repacked"] == repacked


def test_an_origin_that_cannot_be_installed_from_is_refused() -> None:
    document = {**packages_document()["distributions"][0], "origin": "floppy"}

    with pytest.raises(ValidationError, match="origin"):
        Distribution.model_validate(document)


def test_a_field_that_a_rerun_does_not_know_is_refused() -> None:
    document = {**packages_document()["interpreter"], "free_threaded": True}

    with pytest.raises(ValidationError, match="free_threaded"):
        Interpreter.model_validate(document)
