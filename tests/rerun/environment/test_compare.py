from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, make_wheel, one_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution
from wandb_repro.rerun.environment.compare import Inequality, compare_environments, matches_here


def _some(name: str, version: str = "1.0", digest: str = "a" * 64) -> Distribution:
    return Distribution(
        name=name, version=version, origin="index", installer="", tags=(), record_digest=digest
    )


def test_each_kind_of_inequality_is_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "some-thing")
    packages = Environment(tmp_path / "env").install(str(wheel)).packages()
    unknown = _some("e").model_copy(update={"record_digest": Unavailable(unavailable="why")})
    original = packages.model_copy(
        update={"distributions": (_some("a"), _some("b"), _some("c"), _some("d"), unknown)}
    )
    copy = (_some("a"), _some("c", "2.0"), _some("d", digest="b" * 64), _some("e"), _some("f"))
    assert compare_environments(original, copy) == (
        Inequality("b", "missing", "1.0", ""),
        Inequality("c", "version", "1.0", "2.0"),
        Inequality("d", "content", "a" * 64, "b" * 64),
        Inequality("e", "unknown", "why", "a" * 64),
        Inequality("f", "extra", "", "1.0"),
    )


def test_the_environment_at_hand_matches_itself(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "in-place")
    environment = Environment(tmp_path / "env").install("--editable", str(project))
    recorded = environment.packages(tmp_path / "wheels")
    assert matches_here(recorded, environment.packages(tmp_path / "other")) == ()


def test_an_editable_install_whose_sources_changed_does_not_match(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "in-place")
    environment = Environment(tmp_path / "env").install("--editable", str(project))
    recorded = environment.packages(tmp_path / "wheels")
    (project / "src/in_place/__init__.py").write_text("changed = True\n")
    assert environment.packages().digest == recorded.digest
    here = environment.packages(tmp_path / "other")
    assert [each.what for each in matches_here(recorded, here)] == ["content"]
    unpacked = environment.packages()
    assert [each.what for each in matches_here(recorded, unpacked)] == ["unknown"]
    assert one_of(unpacked, "in-place").origin == "editable"


@pytest.mark.parametrize(
    ("field", "value", "what"),
    [("version", "3.7.99", "version"), ("build", "3.x (distribution)", "content")],
)
def test_another_python_does_not_match(tmp_path: Path, field: str, value: str, what: str) -> None:
    wheel = make_wheel(tmp_path / "given", "some-thing")
    here = Environment(tmp_path / "env").install(str(wheel)).packages()
    other = here.interpreter.model_copy(update={field: value})
    recorded = here.model_copy(update={"interpreter": other})
    assert [(each.name, each.what) for each in matches_here(recorded, here)] == [("python", what)]
