from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.support.environments import (
    BASE_PYTHON,
    Environment,
    make_wheel,
    one_of,
    use_folder_as_index,
)
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.errors import RebuildError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Packages, Repacked
from wandb_repro.rerun.environment import lock as lock_module
from wandb_repro.rerun.environment import wheel_check
from wandb_repro.rerun.environment.lock import parse_pylock, resolve_lock
from wandb_repro.rerun.environment.uv import Answer


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_folder_as_index(tmp_path / "links", monkeypatch)


def _packages(*distributions: Distribution) -> Packages:
    """Return a record of this interpreter with the given distributions."""
    here = probe_packages(Host())
    assert isinstance(here, Packages)
    return here.model_copy(update={"distributions": distributions})


def _indexed(name: str, version: str = "1.0", **changes: object) -> Distribution:
    plain = Distribution(
        name=name,
        version=version,
        origin="index",
        installer="uv",
        tags=("py3-none-any",),
        record_digest="0" * 64,
    )
    return plain.model_copy(update=changes)


def _by_path(tmp_path: Path, name: str = "by-path") -> tuple[Packages, Path]:
    """Return a record of one distribution that was repacked, and the folder of its wheel."""
    wheel = make_wheel(tmp_path / "given", name)
    environment = Environment(tmp_path / "env").install(str(wheel))
    return environment.packages(tmp_path / "wheels"), tmp_path / "wheels"


def _refused(packages: Packages, wheels: Path) -> RebuildError:
    with pytest.raises(RebuildError) as caught:
        resolve_lock(packages, wheels, python=BASE_PYTHON)
    return caught.value


def test_the_one_wheel_that_was_installed_is_chosen(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "tiny-thing", tags=("py2-none-any", "py3-none-any"))
    make_wheel(links, "tiny-thing", tags=("py3-none-any",))
    for tags in (("py3-none-any",), ("py2-none-any", "py3-none-any")):
        packages = _packages(_indexed("tiny-thing", tags=tags))
        lock = resolve_lock(packages, tmp_path, python=BASE_PYTHON)
        (wheel,) = lock.packages[0].wheels
        assert wheel.name.endswith(f"{'py2.py3' if len(tags) == 2 else 'py3'}-none-any.whl")
        assert lock.notes == ()


def test_where_that_wheel_is_gone_another_is_kept_with_a_note(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "tiny-thing")
    packages = _packages(_indexed("tiny-thing", tags=("cp39-cp39-win32",)))
    lock = resolve_lock(packages, tmp_path, python=BASE_PYTHON)
    assert len(lock.packages) == 1
    assert "tiny-thing 1.0" in lock.notes[0]


def test_exactly_what_cannot_be_had_is_named(tmp_path: Path, links: Path) -> None:
    for name in ("one", "two", "three"):
        make_wheel(links, name)
    wanted = [_indexed(name) for name in ("gone-a", "one", "three", "two")]
    packages = _packages(*wanted, _indexed("two-b", "9.9"))
    error = _refused(packages, tmp_path)
    assert error.missing == ("gone-a==1.0", "two-b==9.9")
    assert "gone-a==1.0 (no index has a wheel of it)" in error.message
    assert error.hint


def test_another_build_of_the_version_is_not_it(tmp_path: Path, links: Path) -> None:
    make_wheel(links, "tiny-thing", "1.0+cpu")
    assert _refused(_packages(_indexed("tiny-thing")), tmp_path).missing


def test_a_source_release_is_never_built(tmp_path: Path, links: Path) -> None:
    sentinel = tmp_path / "built"
    with zipfile.ZipFile(links / "tiny-thing-1.0.zip", "w") as archive:
        archive.writestr("tiny-thing-1.0/setup.py", f"open({str(sentinel)!r}, 'w')\n")
    error = _refused(_packages(_indexed("tiny-thing")), tmp_path)
    assert error.missing == ("tiny-thing==1.0",)
    assert not sentinel.exists()


@pytest.mark.parametrize("origin", ["local", "editable", "vcs", "archive"])
def test_what_was_not_packed_is_not_looked_for_on_an_index(
    tmp_path: Path, links: Path, origin: str
) -> None:
    make_wheel(links, "tiny-thing")
    lost = Unavailable(unavailable="its files are 70 MB")
    packages = _packages(_indexed("tiny-thing", origin=origin, repacked=lost))
    error = _refused(packages, tmp_path)
    assert error.missing == ("tiny-thing==1.0",)
    assert "70 MB" in error.message


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("--index-url=http://evil", "1.0"),
        ("-r", "1.0"),
        ("tiny\nother", "1.0"),
        ("tiny @ http://evil/x.whl", "1.0"),
        ("Tiny_Thing", "1.0"),
        ("tiny", "1.0 --find-links /x"),
        ("tiny", "1.0\nother==1"),
        ("tiny", "unknown"),
        ("tiny", "\x1b]0;x"),
    ],
)
def test_hostile_names_and_versions_never_reach_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, version: str
) -> None:
    packages = _packages(_indexed(name, version))
    monkeypatch.setattr(lock_module, "run_uv", _must_not_run)
    error = _refused(packages, tmp_path)
    assert error.missing == (f"{name}=={version}",)
    assert error.message.isprintable()


def _must_not_run(*_: object, **__: object) -> Answer:
    raise AssertionError("uv was started")


def test_a_wheel_of_the_run_is_locked_by_its_hash(tmp_path: Path) -> None:
    packages, wheels = _by_path(tmp_path)
    (package,) = resolve_lock(packages, wheels, python=BASE_PYTHON).packages
    repacked = one_of(packages, "by-path").repacked
    assert isinstance(repacked, Repacked)
    assert [(each.name, each.sha256, each.url) for each in package.wheels] == [
        (repacked.name, repacked.sha256, "")
    ]


@pytest.mark.parametrize("damage", ["flipped", "longer", "gone"])
def test_a_wheel_that_is_not_the_recorded_one_is_refused(tmp_path: Path, damage: str) -> None:
    packages, wheels = _by_path(tmp_path)
    (wheel,) = wheels.iterdir()
    content = wheel.read_bytes()
    wheel.unlink()
    if damage != "gone":
        changed = content[:-1] + b"x" if damage == "flipped" else content + b"x"
        wheel.write_bytes(changed)
    assert "not the one that was recorded" in _refused(packages, wheels).message


@pytest.mark.parametrize(
    "name",
    [
        "../by_path-1.0-py3-none-any.whl",
        "/x/by_path-1.0-py3-none-any.whl",
        "other-1.0-py3-none-any.whl",
    ],
)
def test_a_wheel_name_that_leaves_the_folder_or_lies_is_refused(tmp_path: Path, name: str) -> None:
    packages, wheels = _by_path(tmp_path)
    own = one_of(packages, "by-path")
    assert isinstance(own.repacked, Repacked)
    lying = own.model_copy(update={"repacked": own.repacked.model_copy(update={"name": name})})
    changed = packages.model_copy(update={"distributions": (lying,)})
    assert "not a wheel of by-path" in _refused(changed, wheels).message


def test_a_wheel_that_would_fill_the_disk_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, wheels = _by_path(tmp_path)
    monkeypatch.setattr(wheel_check, "MAXIMUM_UNPACKED_BYTES", 10)
    assert "unpack" in _refused(packages, wheels).message


def test_an_index_that_cannot_be_reached_is_told_apart_from_a_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    error = _refused(_packages(_indexed("tiny-thing")), tmp_path)
    assert "cannot be reached" in error.message
    assert error.missing == ()


def test_settings_of_a_project_do_not_count(
    tmp_path: Path, links: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(links, "tiny-thing")
    (tmp_path / "uv.toml").write_text("not even TOML")
    monkeypatch.chdir(tmp_path)
    packages = _packages(_indexed("tiny-thing"))
    assert resolve_lock(packages, tmp_path, python=BASE_PYTHON).packages


_ANSWER = """\
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "tiny-thing"
version = "1.0"
index = "https://me:pw@index.example/simple"
[[packages.wheels]]
url = "https://me:pw@files.example/tiny_thing-1.0-py3-none-any.whl?token=secret#x"
size = 10
hashes = { sha256 = "ab" }
"""


def test_no_index_and_no_credentials_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = _packages(_indexed("tiny-thing"))

    def answer(*_: object, **__: object) -> Answer:
        return Answer(0, _ANSWER, "")

    monkeypatch.setattr(lock_module, "run_uv", answer)
    lock = resolve_lock(packages, tmp_path, python=BASE_PYTHON)
    lock.write_pylock(tmp_path / "pylock.toml")
    lock.write_requirements(tmp_path / "requirements.txt")
    written = [(tmp_path / name).read_text() for name in ("pylock.toml", "requirements.txt")]
    assert "https://files.example/tiny_thing-1.0-py3-none-any.whl" in written[0]
    for word in ("pw", "token", "secret", "index.example"):
        assert not any(word in text for text in written)


def test_both_files_name_the_wheels_of_the_run_relative_to_themselves(tmp_path: Path) -> None:
    packages, wheels = _by_path(tmp_path)
    lock = resolve_lock(packages, wheels, python=BASE_PYTHON)
    out = tmp_path / "out"
    out.mkdir()
    lock.write_pylock(out / "pylock.toml")
    lock.write_requirements(out / "requirements.txt")
    sha256 = lock.packages[0].wheels[0].sha256
    path = "../wheels/by_path-1.0-py3-none-any.whl"
    assert (out / "requirements.txt").read_text() == f"./{path} --hash=sha256:{sha256}\n"
    assert f'path = "{path}"' in (out / "pylock.toml").read_text()


def test_what_is_written_is_a_lock_file_and_can_be_installed_by_pip(
    tmp_path: Path, links: Path
) -> None:
    make_wheel(links, "tiny-thing")
    packages, wheels = _by_path(tmp_path)
    packages = packages.model_copy(
        update={"distributions": (*packages.distributions, _indexed("tiny-thing"))}
    )
    lock = resolve_lock(packages, wheels, python=BASE_PYTHON)
    lock.write_pylock(tmp_path / "pylock.toml")
    lock.write_requirements(tmp_path / "requirements.txt")
    written = parse_pylock((tmp_path / "pylock.toml").read_text())
    assert list(written) == ["by-path", "tiny-thing"]
    new = Environment(tmp_path / "new")
    options = ["--require-hashes", "--find-links", str(links), "-r", "requirements.txt"]
    new.install_by_pip(*options, cwd=tmp_path)
    assert {each.name for each in new.packages().distributions} == {"by-path", "tiny-thing"}


_BOTH = """\
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "tiny-thing"
version = "1.0"
[[packages.wheels]]
url = "https://files.example/tiny_thing-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
hashes = { sha256 = "ab" }
[[packages.wheels]]
url = "https://files.example/tiny_thing-1.0-cp310-abi3-manylinux_2_28_x86_64.whl"
hashes = { sha256 = "cd" }
"""


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("", "cp311-cp311"), ("3.11.2", "cp311-cp311"), ("3.13.0", "cp310-abi3")],
)
def test_the_recorded_wheel_is_taken_only_where_it_fits_the_python(
    version: str, chosen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv 0.8 names wheels for other Pythons, too."""

    def answer(*_: object, **__: object) -> Answer:
        return Answer(0, _BOTH, "")

    monkeypatch.setattr(lock_module, "run_uv", answer)
    packages = _packages(_indexed("tiny-thing", tags=("cp311-cp311-manylinux_2_28_x86_64",)))
    lock = resolve_lock(packages, tmp_path, python=BASE_PYTHON, version=version)
    (wheel,) = lock.packages[0].wheels
    assert chosen in wheel.name
