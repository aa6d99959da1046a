"""Another Python, two environments in one, and conda: recorded as they are, and rebuilt."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_wheel, one_of
from tests.support.fake_host import FakeHost
from tests.support.ground import MACHINE, PLATFORM, Ground, is_equal
from tests.support.pythons import another_python
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.manifest.packages import Packages


def _metadata(name: str, *requires: str) -> dict[str, str]:
    lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {each}" for each in requires)]
    text = "".join(f"{line}\n" for line in ("Metadata-Version: 2.1", *lines))
    return {f"{name.replace('-', '_')}-1.0.dist-info/METADATA": text}


@pytest.mark.slow
def test_another_python_stands_in_with_every_difference_named(ground: Ground) -> None:
    """Another wheel fits it, and it needs a package that this one brings itself."""
    other = another_python()
    minor = subprocess.check_output([other, "-c", "import sys; print(sys.version_info[1])"])
    tag = f"cp3{int(minor)}-cp3{int(minor)}-manylinux_2_17_{MACHINE}"
    make_wheel(ground.index.folder, "tiny-thing", tags=(PLATFORM,))
    make_wheel(ground.index.folder, "tiny-thing", tags=(tag,))
    more = _metadata(
        "asks-more",
        f"backport>=1; python_version == '3.{int(minor)}'",
        "never-there",
        "docs; extra == 'docs'",
    )
    make_wheel(ground.index.folder, "asks-more", files=more)
    rebuilt = ground.rebuilt(ground.install("tiny-thing", "asks-more"), python=other)
    assert [(each.name, each.what) for each in rebuilt.inequalities] == [("tiny-thing", "content")]
    stands_in, lacks, wheel = rebuilt.notes
    assert f"stands in for the recorded cpython 3.{sys.version_info.minor}." in stands_in
    assert lacks.startswith("asks-more requires backport on Python 3.")
    assert wheel == "tiny-thing 1.0: the wheel that was installed is not on the index."


@pytest.mark.slow
def test_what_has_no_wheel_for_another_python_is_named_and_nothing_is_made(ground: Ground) -> None:
    make_wheel(ground.index.folder, "tiny-thing", tags=(PLATFORM,))
    error = ground.refused(ground.install("tiny-thing"), python=another_python())
    assert error.missing == ("tiny-thing==1.0",)
    assert "(the index has no wheel of it that fits here)" in error.message


@pytest.mark.slow
def test_packages_of_a_second_environment_on_the_path_are_rebuilt_into_one(
    ground: Ground, tmp_path: Path
) -> None:
    """The first on the path wins, and what lay behind it is named."""
    for version in ("1.0", "2.0"):
        make_wheel(ground.index.folder, "tiny-thing", version)
    make_wheel(ground.index.folder, "other-thing")
    second = Environment(tmp_path / "second")
    options = ("--default-index", ground.index.url)
    second.install(*options, "tiny-thing==1.0", "other-thing")
    ground.install("tiny-thing==2.0")
    packages = _record_of(ground.environment, PYTHONPATH=f"{second.site_packages}")
    assert {each.name: (each.version, each.found_in) for each in packages.distributions} == {
        "other-thing": ("1.0", str(second.site_packages)),
        "tiny-thing": ("1.0", str(second.site_packages)),
    }
    assert [(each.name, each.version) for each in packages.shadowed] == [("tiny-thing", "2.0")]
    second.folder.rename(tmp_path / "gone")
    is_equal(ground.rebuilt(packages))


@pytest.mark.slow
def test_packages_of_the_system_below_an_environment_are_rebuilt_into_it(
    ground: Ground, tmp_path: Path
) -> None:
    """``--system-site-packages``; the system's own environment is one of a test here."""
    for name in ("own-thing", "system-thing"):
        make_wheel(ground.index.folder, name)
    system = Environment(tmp_path / "system")
    system.install("--default-index", ground.index.url, "system-thing")
    ground.install("own-thing")
    hook = ground.environment.site_packages / "system.pth"
    hook.write_text(f"{system.site_packages}\n")
    packages = _record_of(ground.environment)
    found = {each.name: each.found_in for each in packages.distributions}
    assert found == {"own-thing": "", "system-thing": str(system.site_packages)}
    system.folder.rename(tmp_path / "gone")
    is_equal(ground.rebuilt(packages))


def _record_of(environment: Environment, **environ: str) -> Packages:
    """Return what a process of an environment records, whose path is as Python makes it."""
    code = (
        "import importlib.metadata, json, sys, sysconfig;"
        "print(json.dumps([sys.path, sysconfig.get_path('purelib')]))"
    )
    done = subprocess.run(
        [environment.python, "-c", code], env=environ, capture_output=True, check=True
    )
    path, own = json.loads(done.stdout)
    found = tuple(importlib.metadata.distributions(path=[it for it in path if it]))
    record = probe_packages(FakeHost(installed=found, package_folders=(own,)))
    assert isinstance(record, Packages)
    return record


def _by_conda(environment: Environment, name: str) -> None:
    """Make a package look as conda leaves those that it did not build with pip."""
    (info,) = environment.site_packages.glob(f"{name}-*.dist-info")
    (info / "RECORD").unlink()
    (info / "INSTALLER").write_text("conda\n")
    meta = environment.folder / "conda-meta"
    meta.mkdir(exist_ok=True)
    (meta / f"{name}-1.0-py_0.json").write_text(json.dumps({"name": name, "build": "py_0"}))


@pytest.mark.slow
def test_what_conda_installed_is_recorded_as_it_is_and_rebuilt_with_the_difference_named(
    ground: Ground,
) -> None:
    for name in ("tiny-thing", "other-thing"):
        make_wheel(ground.index.folder, name)
    ground.install("tiny-thing", "other-thing")
    _by_conda(ground.environment, "tiny_thing")
    packages = ground.recorded()
    found = one_of(packages, "tiny-thing")
    assert (found.installer, found.repacked) == ("conda", None)
    assert "no RECORD (it was installed by conda)" in str(found.record_digest)
    rebuilt = ground.rebuilt(packages)
    assert [(it.name, it.what) for it in rebuilt.inequalities] == [("tiny-thing", "unknown")]


@pytest.mark.slow
def test_what_only_conda_has_is_named_and_nothing_is_made(ground: Ground) -> None:
    ground.environment.install(str(make_wheel(ground.folder, "tiny-thing")))
    _by_conda(ground.environment, "tiny_thing")
    (ground.environment.site_packages / "tiny_thing-1.0.dist-info/direct_url.json").unlink()
    error = ground.refused(ground.recorded())
    assert "tiny-thing==1.0 (conda installed it, and no index has a wheel" in error.message
    assert "--env here" in error.hint
