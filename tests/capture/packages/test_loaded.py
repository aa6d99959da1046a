from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, make_wheel
from tests.support.fake_host import FakeHost, fake_module
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.loaded import Owners, loaded_files


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Two plain packages, two that share a namespace, and one installed in place."""
    folder = tmp_path_factory.mktemp("loaded")
    wheels = [
        make_wheel(folder / "wheels", "used"),
        make_wheel(folder / "wheels", "unused"),
        make_wheel(folder / "wheels", "cloud-one", files={"cloud/one.py": "A = 1\n"}),
        make_wheel(folder / "wheels", "cloud-two", files={"cloud/two.py": "A = 2\n"}),
    ]
    project = make_project(folder / "project", "in-place")
    environment = Environment(folder / "env").install(*map(str, wheels))
    return environment.install("--editable", str(project))


def _owners(environment: Environment) -> Owners:
    return Owners(installation(environment.host.installed).chosen)


def test_a_file_belongs_to_the_distribution_that_installed_it(environment: Environment) -> None:
    files = [str(environment.site_packages / "used.py")]
    assert _owners(environment).names(files) == ("in-place", "used")


def test_of_a_shared_namespace_only_the_owner_of_the_very_file_is_used(
    environment: Environment,
) -> None:
    files = [str(environment.site_packages / "cloud" / "two.py")]
    assert "cloud-two" in _owners(environment).names(files)
    assert "cloud-one" not in _owners(environment).names(files)


def test_what_is_installed_in_place_counts_as_used(environment: Environment) -> None:
    assert _owners(environment).names([]) == ("in-place",)


def test_a_file_that_no_distribution_installed_is_named(environment: Environment) -> None:
    own = [str(environment.site_packages / name) for name in ("copied.py", "cloud/mine.py")]
    others = [str(environment.site_packages / "used.py"), "/elsewhere/train.py"]
    assert _owners(environment).unowned([*others, *own]) == tuple(sorted(own))


def test_what_the_environments_maker_put_there_is_not_named(environment: Environment) -> None:
    made = environment.site_packages / "_virtualenv.py"
    assert _owners(environment).unowned([str(made)]) == ()


def test_where_a_package_tells_no_files_nothing_is_named_and_it_counts_as_used(
    tmp_path: Path,
) -> None:
    info = tmp_path / "vague-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vague\nVersion: 1.0\n")
    owners = Owners(installation(Environment.distributions_in(tmp_path)).chosen)
    assert owners.names([]) == ("vague",)
    assert owners.unowned([str(tmp_path / "copied.py")]) == ()


def test_files_are_those_of_modules_and_of_mapped_libraries() -> None:
    maps = "7f00-7f01 r-xp 00000000 08:01 42    /site/nvidia/lib/libcudnn.so.9\n7f02 rw-p [heap]\n"
    host = FakeHost(
        modules={
            "used": fake_module("used", __file__="/site/used.py"),
            "builtin": fake_module("builtin"),
        },
        files={"/proc/self/maps": maps},
    )
    assert loaded_files(host) == {"/site/used.py", "/site/nvidia/lib/libcudnn.so.9"}


def test_a_lazy_module_is_not_imported_by_being_looked_at() -> None:
    class Lazy(type(fake_module("x"))):
        def __getattr__(self, name: str) -> object:
            raise AssertionError(f"{name} was asked for")

    assert loaded_files(FakeHost(modules={"lazy": Lazy("lazy")})) == frozenset()
