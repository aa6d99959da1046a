"""Differences between the interpreters and packages of two runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest, rerun_manifest
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.package_diff import package_differences

PACKAGES = "execution.packages"
LOCAL = f"{PACKAGES}.distributions.3"
NAMES = ["keras", "rich", "tensorflow-cpu", "tools"]


def found(changes: dict[str, Any], original: dict[str, Any] | None = None) -> tuple[Finding, ...]:
    recorded = changed(full_manifest(), original or {})
    return tuple(package_differences(recorded, rerun_manifest(changes)))


def loaded(*names: str) -> dict[str, Any]:
    return {f"{PACKAGES}.loaded": {"at_start": [], "at_end": names}}


def test_a_package_that_the_original_lacks_should_be_uninstalled() -> None:
    original = full_manifest().model_dump(mode="json")["execution"]["packages"]["distributions"]
    extra = {**original[1], "name": "surplus"}

    (finding,) = found({"execution.packages.distributions": [*original, extra]})

    assert (finding.original, finding.cure) == ("not installed", "uninstall surplus")


def test_a_package_installed_from_its_repacked_wheel_is_equal_to_the_original() -> None:
    repacked = full_manifest().model_dump(mode="json")["execution"]["packages"]["distributions"][3]
    installed = {
        **repacked,
        "record_digest": repacked["repacked"]["record_digest"],
        "repacked": None,
    }

    assert found({LOCAL: installed}) == ()


@pytest.mark.parametrize(
    ("place", "kind", "effect"),
    [(0, "framework", "changes bits"), (1, "package", "may change bits")],
)
def test_another_version_counts_by_whether_kernels_are_in_the_package(
    place: int, kind: str, effect: str
) -> None:
    (finding,) = found({f"{PACKAGES}.distributions.{place}.version": "1.0"})

    assert (finding.kind, finding.effect) == (kind, effect)
    assert finding.cure.startswith(f"install {NAMES[place]}==")


def test_numpy_computes_no_kernel_but_what_the_script_makes_of_its_data() -> None:
    numpy = {f"{PACKAGES}.distributions.1.name": "numpy"}

    (finding,) = found({**numpy, f"{PACKAGES}.distributions.1.version": "2.2"}, numpy)

    assert (finding.kind, finding.effect) == ("package", "changes bits")


def test_a_package_that_neither_run_loaded_changes_no_bits() -> None:
    unused = loaded("keras", "tensorflow-cpu", "tools")

    (finding,) = found({**unused, f"{PACKAGES}.distributions.1.version": "13.0"}, unused)

    assert (finding.fact, finding.effect) == ("rich", "explains")


def test_unused_packages_that_a_rebuilt_environment_lacks_are_one_finding() -> None:
    kept = full_manifest().model_dump(mode="json")["execution"]["packages"]["distributions"][:1]

    (finding,) = found({f"{PACKAGES}.distributions": kept, **loaded("keras")}, loaded("keras"))

    assert finding.fact == "packages that it did not load"
    assert (finding.original, finding.here, finding.effect) == ("3", "0", "explains")


def test_edits_by_hand_differ_unless_the_wheel_contains_them() -> None:
    def edited(name: str) -> dict[str, Any]:
        return {f"{PACKAGES}.altered": [{"name": name, "files": ["a.py"]}]}

    nothing: dict[str, Any] = {f"{PACKAGES}.altered": []}

    (finding,) = found(nothing, edited("rich"))
    assert (finding.original, finding.here) == ("rich: a.py", "none")
    assert found(nothing, edited("tools")) == ()


def test_packages_that_one_run_did_not_record_are_one_finding() -> None:
    (finding,) = found({PACKAGES: absent("no metadata")})

    assert (finding.fact, finding.here) == ("packages", "not known (no metadata)")
