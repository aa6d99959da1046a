from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, make_wheel, one_of
from tests.support.fake_host import FakeHost
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import normalised_name
from wandb_repro.capture.packages.distributions import probe_packages, read_distributions
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages


def _write_direct_url(environment: Environment, name: str, content: dict[str, object]) -> None:
    (folder,) = environment.site_packages.glob(f"{name}-*.dist-info")
    (folder / "direct_url.json").write_text(json.dumps(content))


@pytest.fixture
def plain(tmp_path: Path) -> Environment:
    wheel = make_wheel(tmp_path / "links", "tiny-thing")
    environment = Environment(tmp_path / "env")
    return environment.install("--no-index", "--find-links", str(wheel.parent), "tiny-thing")


def test_an_index_package_is_recorded_with_all_that_identifies_it(plain: Environment) -> None:
    found = one_of(plain.packages(), "tiny-thing")
    assert (found.version, found.origin, found.installer) == ("1.0", "index", "uv")
    assert found.tags == ("py3-none-any",)
    assert isinstance(found.record_digest, str)
    assert found.repacked is None


def test_the_process_that_runs_is_recorded_with_its_interpreter() -> None:
    found = probe_packages(Host())
    assert isinstance(found, Packages)
    assert [each.name for each in found.distributions] == sorted(
        {each.name for each in found.distributions}
    )
    assert found.interpreter.libc


def test_an_environment_reads_the_same_from_outside(plain: Environment) -> None:
    assert read_distributions(plain.site_packages) == plain.packages().distributions


def test_a_process_without_any_distribution_says_so() -> None:
    assert isinstance(probe_packages(FakeHost()), Unavailable)


@pytest.mark.parametrize(
    ("direct_url", "origin", "detail"),
    [
        ({"url": "file:///w/x.whl", "archive_info": {}}, "archive", ""),
        ({"url": "https://h/x.whl", "archive_info": {}}, "archive", ""),
        ({"url": "file:///src", "dir_info": {}}, "local", ""),
        ({"url": "file:///src", "dir_info": {"editable": True}}, "editable", ""),
        (
            {"url": "https://me:pw@h/r.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "vcs",
            "https://h/r.git@abc",
        ),
    ],
)
def test_origins_are_read_from_direct_url_without_credentials(
    plain: Environment, direct_url: dict[str, object], origin: str, detail: str
) -> None:
    _write_direct_url(plain, "tiny_thing", direct_url)
    found = one_of(plain.packages(), "tiny-thing")
    assert (found.origin, found.origin_detail) == (origin, detail)


def test_a_package_without_record_is_unavailable_with_the_reason(plain: Environment) -> None:
    next(plain.site_packages.glob("*.dist-info/RECORD")).unlink()
    found = one_of(plain.packages(), "tiny-thing")
    assert isinstance(found.record_digest, Unavailable)
    assert "no RECORD" in str(found.record_digest)


def test_a_file_edited_by_hand_is_not_seen_by_the_record(plain: Environment) -> None:
    before = plain.packages().digest
    (plain.site_packages / "tiny_thing.py").write_text("edited = True\n")
    assert plain.packages().digest == before


def test_another_version_or_content_changes_the_digest_of_all(tmp_path: Path) -> None:
    wheels = [
        make_wheel(tmp_path / "1", "tiny-thing"),
        make_wheel(tmp_path / "2", "tiny-thing", "2.0"),
        make_wheel(tmp_path / "3", "tiny-thing", files={"more.py": ""}),
    ]
    environment = Environment(tmp_path / "env")
    digests = {environment.install("--reinstall", str(wheel)).packages().digest for wheel in wheels}
    assert len(digests) == len(wheels)


def test_the_first_on_the_path_wins(tmp_path: Path) -> None:
    first = Environment(tmp_path / "first").install(str(make_wheel(tmp_path / "1", "tiny-thing")))
    wheel = make_wheel(tmp_path / "2", "tiny-thing", "2.0")
    second = Environment(tmp_path / "second").install(str(wheel))
    found = probe_packages(FakeHost(installed=(*second.host.installed, *first.host.installed)))
    assert isinstance(found, Packages)
    assert [each.version for each in found.distributions] == ["2.0"]


def test_a_build_leftover_beside_the_sources_gives_way_to_the_install(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "tiny-thing")
    egg = project / "tiny_thing.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny-thing\nVersion: 0.1\n")
    installed = Environment(tmp_path / "env").install(str(make_wheel(tmp_path, "tiny-thing")))
    leftover = Environment.distributions_in(project)
    found = probe_packages(FakeHost(installed=(*leftover, *installed.host.installed)))
    alone = probe_packages(FakeHost(installed=leftover))
    assert isinstance(found, Packages)
    assert isinstance(alone, Packages)
    assert [(each.version, each.origin) for each in found.distributions] == [("1.0", "archive")]
    assert [(each.version, each.origin) for each in alone.distributions] == [("0.1", "editable")]


def test_what_pip_could_not_remove_is_no_distribution(plain: Environment) -> None:
    (folder,) = plain.site_packages.glob("tiny_thing-*.dist-info")
    folder.rename(folder.with_name("~iny_thing-1.0.dist-info"))
    assert read_distributions(plain.site_packages) == ()


def test_names_are_normalised_as_pep_503_says() -> None:
    assert normalised_name("Tiny._-Thing") == "tiny-thing"
