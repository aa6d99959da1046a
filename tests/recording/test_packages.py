from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, make_wheel, one_of
from tests.support.fake_host import FakeHost, fake_module
from wandb_repro.manifest.packages import EditedPackage, Packages, Repacked
from wandb_repro.recording.packages import PackageRecorder

DATA = {"tiny_data/table.csv": "1,2\n"}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files=DATA)
    return Environment(tmp_path / "env").install(str(wheel))


def _recorded(environment: Environment, wheels: Path) -> Packages:
    """Return what a run records that has loaded the module."""
    file = str(environment.site_packages / "tiny_thing.py")
    host = FakeHost(
        installed=tuple(environment.host.installed),
        package_folders=environment.host.package_folders,
        modules={"tiny_thing": fake_module("tiny_thing", __file__=file)},
    )
    installed = PackageRecorder(host, wheels, withheld="")
    installed.settle(30)
    installed.end()
    assert isinstance(installed.packages, Packages)
    return installed.packages


def test_a_second_run_of_a_process_records_the_same(
    environment: Environment, tmp_path: Path
) -> None:
    first, second = (_recorded(environment, tmp_path / name) for name in ("one", "two"))

    assert first == second
    assert first.altered == ()


def test_an_edit_of_a_loaded_module_between_two_runs_is_named(
    environment: Environment, tmp_path: Path
) -> None:
    assert _recorded(environment, tmp_path / "one").altered == ()
    source = environment.site_packages / "tiny_thing.py"
    text = source.read_text().replace("hello", "jello")
    source.unlink()
    source.write_text(text)

    second = _recorded(environment, tmp_path / "two")
    source.unlink()
    source.write_text(text.replace("jello", "hello"))
    third = _recorded(environment, tmp_path / "three")

    assert second.altered == (EditedPackage(name="tiny-thing", files=("tiny_thing.py",)),)
    assert third.altered == ()


def test_an_editable_install_is_packed_anew_only_when_it_changed(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "tiny-thing")
    environment = Environment(tmp_path / "env").install("--editable", str(project))

    def wheel(name: str) -> tuple[str, bytes]:
        packed = one_of(_recorded(environment, tmp_path / name), "tiny-thing").repacked
        assert isinstance(packed, Repacked)
        return packed.sha256, (tmp_path / name / packed.name).read_bytes()

    one, same = wheel("one"), wheel("two")
    (project / "src/tiny_thing/table.csv").write_text("1,3\n")
    other = wheel("three")

    assert one == same
    assert one != other
