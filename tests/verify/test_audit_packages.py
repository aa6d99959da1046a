"""Reasons in the packages why a run might not run again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.verify.audit_packages import audit_packages
from wandb_repro.verify.finding import Finding

LOCAL = "execution.packages.distributions.3.repacked"
ALTERED = "execution.packages.altered"


def audited(changes: dict[str, Any]) -> tuple[Finding, ...]:
    return tuple(audit_packages(changed(full_manifest(), changes)))


REASONS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no packages": (
        {"execution.packages": absent("no metadata")},
        "stops",
        "The packages are not recorded: no metadata",
        "",
    ),
    "a package that is lost": (
        {LOCAL: absent("its files are gone")},
        "stops",
        "tools 0.3 is not on a package index and could not be packed: its files are gone",
        "publish tools, or rerun with --env here",
    ),
    "an edited package": (
        {ALTERED: [{"name": "rich", "files": ["a.py", "b.py", "c.py", "d.py"]}]},
        "may change bits",
        "rich was edited by hand after it was installed: a.py, b.py, c.py ...; a rebuilt one lacks",
        "rerun with --env here",
    ),
    "an edited package that is kept": (
        {ALTERED: [{"name": "tools", "files": ["a.py"]}]},
        "explains",
        "tools was edited by hand after it was installed: a.py; the edited files are kept",
        "",
    ),
}


@pytest.mark.parametrize(("changes", "effect", "sentence", "cure"), REASONS.values(), ids=REASONS)
def test_each_reason_is_said_with_what_to_do(
    changes: dict[str, Any], effect: str, sentence: str, cure: str
) -> None:
    (finding,) = audited(changes)

    assert finding.effect == effect
    assert sentence in finding.sentence
    assert cure in finding.cure


def test_a_record_that_did_not_look_for_edits_has_no_finding() -> None:
    assert audited({ALTERED: absent("edits by hand were not recorded")}) == ()


def test_a_package_of_an_index_needs_no_wheel() -> None:
    of_index = {"execution.packages.distributions.1.repacked": absent("not packed")}

    assert audited(of_index) == ()


PACKAGES = "/env/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("files", "sentences"),
    [
        ([f"{PACKAGES}/copied.py"], [f"{PACKAGES}/copied.py was loaded"]),
        (
            [f"{PACKAGES}/mine/{name}.py" for name in ("__init__", "deep/er", "model")],
            [f"{PACKAGES}/mine (3 files) was loaded"],
        ),
        (
            ["/usr/lib/python3/dist-packages/one/__init__.py", "/odd/two.py", "/odd/three.py"],
            [
                "/usr/lib/python3/dist-packages/one (1 file) was loaded",
                "/odd/two.py was loaded",
                "/odd/three.py was loaded",
            ],
        ),
    ],
)
def test_what_was_put_among_the_packages_by_hand_is_named_once(
    files: list[str], sentences: list[str]
) -> None:
    found = audited({"execution.packages.unowned": files})
    named = [finding.sentence.partition(" but")[0] for finding in found]

    assert sorted(named) == sorted(sentences)
