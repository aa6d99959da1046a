from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_project, make_wheel, one_of
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.repack import repack
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Repacked

PLANTED_KEY = "AKIA" + "Q7W2E9R4T6Y8U1I3"


def _packed(environment: Environment, name: str, folder: Path) -> Repacked:
    found = repack(environment.distribution(name), folder)
    assert isinstance(found, Repacked), found
    return found


def _reinstalled(tmp_path: Path, wheel: Path) -> Environment:
    return Environment(tmp_path / "again").install(str(wheel))


def _comes_back(tmp_path: Path, original: Environment, name: str) -> Environment:
    """Repack, install elsewhere, and compare the record with what was foretold."""
    packed = _packed(original, name, tmp_path / "wheels")
    again = _reinstalled(tmp_path, tmp_path / "wheels" / packed.name)
    assert one_of(again.packages(), name).record_digest == packed.record_digest
    return again


def _commit(project: Path) -> str:
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    done = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_wheel_installed_by_path_comes_back_with_its_script(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files={"a,b.txt": "x"})
    original = Environment(tmp_path / "env").install(str(wheel))
    again = _comes_back(tmp_path, original, "tiny-thing")
    script = subprocess.run([again.folder / "bin" / "tiny-thing"], capture_output=True, check=True)
    assert script.stdout == b"hello\n"
    assert (again.site_packages / "a,b.txt").read_text() == "x"


def test_what_is_packed_from_an_untouched_install_has_its_record(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    packed = _packed(original, "tiny-thing", tmp_path)
    assert packed.record_digest == one_of(original.packages(), "tiny-thing").record_digest


def test_what_was_edited_by_hand_is_packed_as_it_is_now(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    (original.site_packages / "tiny_thing.py").write_text("edited = True\n")
    again = _comes_back(tmp_path, original, "tiny-thing")
    assert again.run("import tiny_thing; print(tiny_thing.edited)") == "True"


def test_pip_installs_it_with_the_same_record(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files={"a,b.txt": "x"})
    original = Environment(tmp_path / "env").install(str(wheel))
    packed = _packed(original, "tiny-thing", tmp_path / "wheels")
    again = Environment(tmp_path / "again").install_by_pip(str(tmp_path / "wheels" / packed.name))
    found = one_of(again.packages(), "tiny-thing")
    assert (found.installer, found.record_digest) == ("pip", packed.record_digest)


def test_scripts_and_data_outside_site_packages_come_back(tmp_path: Path) -> None:
    files = {
        "tiny_thing-1.0.data/scripts/greet": "#!python\nprint('from script')\n",
        "tiny_thing-1.0.data/data/share/tiny/table.csv": "1,2\n",
    }
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files=files)
    original = Environment(tmp_path / "env").install(str(wheel))
    again = _comes_back(tmp_path, original, "tiny-thing")
    assert (again.folder / "share/tiny/table.csv").read_text() == "1,2\n"
    script = (again.folder / "bin" / "greet").read_text()
    assert str(again.folder) in script
    assert str(original.folder) not in script


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    first = _packed(original, "tiny-thing", tmp_path / "1")
    second = _packed(original, "tiny-thing", tmp_path / "2")
    assert first == second


@pytest.mark.parametrize("how", ["local", "editable", "vcs"])
def test_a_project_comes_back_however_it_was_installed(tmp_path: Path, how: str) -> None:
    project = make_project(tmp_path / "a project", "tiny-thing")
    what = {"local": [str(project)], "editable": ["--editable", str(project)]}
    if how == "vcs":
        what["vcs"] = [f"tiny-thing @ git+{project.as_uri()}@{_commit(project)}"]
    original = Environment(tmp_path / "env").install(*what[how])
    assert one_of(original.packages(), "tiny-thing").origin == how
    again = _comes_back(tmp_path, original, "tiny-thing")
    assert "again" in again.run("import tiny_thing; print(tiny_thing.__file__)")
    assert (again.site_packages / "tiny_thing/table.csv").is_file()
    assert not (again.site_packages / "tests").exists()


def test_an_editable_install_with_a_hook_comes_back(tmp_path: Path) -> None:
    # A flat layout with two packages makes setuptools write a finder instead of a path.
    flat = '[tool.setuptools]\npackages = ["tiny_thing"]\n'
    project = make_project(tmp_path / "project", "tiny-thing")
    (project / "src/tiny_thing").rename(project / "tiny_thing")
    (project / "src").rmdir()
    with (project / "pyproject.toml").open("a") as file:
        file.write(flat)
    original = Environment(tmp_path / "env").install("--editable", str(project))
    assert list(original.site_packages.glob("__editable__*_finder.py"))
    again = _comes_back(tmp_path, original, "tiny-thing")
    assert again.run("import tiny_thing; tiny_thing.main()") == "hello"


def test_this_package_itself_can_be_packed(tmp_path: Path) -> None:
    own = installation(Host().distributions()).chosen["wandb-repro"]
    packed = repack(own.distribution, tmp_path)
    assert isinstance(packed, Repacked)
    again = _reinstalled(tmp_path, tmp_path / packed.name)
    assert one_of(again.packages(), "wandb-repro").record_digest == packed.record_digest
    assert (again.site_packages / "wandb_repro/errors.py").is_file()
    assert (again.folder / "bin/wandb-repro").is_file()


def _editable(tmp_path: Path, **files: str) -> tuple[Environment, Path]:
    """Return an editable install made by hand, as a backend without top_level.txt makes it."""
    project = tmp_path / "project"
    for at, text in {"tiny_thing/__init__.py": "", **files}.items():
        (project / at).parent.mkdir(parents=True, exist_ok=True)
        (project / at).write_text(text)
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files={"tiny.pth": f"{project}\n"})
    environment = Environment(tmp_path / "env").install(str(wheel))
    direct = next(environment.site_packages.glob("*.dist-info/direct_url.json"))
    direct.write_text(f'{{"url": "{project.as_uri()}", "dir_info": {{"editable": true}}}}')
    return environment, project


def _members(folder: Path, packed: Repacked) -> set[str]:
    names = zipfile.ZipFile(folder / packed.name).namelist()
    return {name for name in names if ".dist-info/" not in name}


def test_byte_code_hidden_files_and_neighbours_stay_out(tmp_path: Path) -> None:
    names = ("__pycache__/a.pyc", ".git/config", ".hidden", "data/a.bin")
    environment, _ = _editable(
        tmp_path,
        **{f"tiny_thing/{name}": "x" for name in names},
        **{"tests/__init__.py": "", "setup.py": "", "other.py": "", "README.md": ""},
    )
    packed = _packed(environment, "tiny-thing", tmp_path)
    assert _members(tmp_path, packed) == {
        "tiny_thing/__init__.py",
        "tiny_thing/data/a.bin",
        "other.py",
    }
    assert packed.left_out == ()


def test_what_looks_secret_stays_out_and_is_named(tmp_path: Path) -> None:
    files = {"tiny_thing/server.pem": "x", "tiny_thing/settings.ini": f"id = {PLANTED_KEY}\n"}
    environment, _ = _editable(tmp_path, **files)
    packed = _packed(environment, "tiny-thing", tmp_path)
    assert packed.left_out == ("tiny_thing/server.pem", "tiny_thing/settings.ini")
    assert _members(tmp_path, packed) == {"tiny_thing/__init__.py"}


def test_what_looks_secret_stays_out_of_the_wheel_of_a_local_package(tmp_path: Path) -> None:
    files = {"tiny_thing/__init__.py": "", "tiny_thing/settings.ini": f"id = {PLANTED_KEY}\n"}
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files=files)
    environment = Environment(tmp_path / "env").install(str(wheel))
    direct = next(environment.site_packages.glob("*.dist-info/direct_url.json"))
    direct.write_text(f'{{"url": "{tmp_path.as_uri()}", "dir_info": {{}}}}')
    packed = _packed(environment, "tiny-thing", tmp_path)
    assert packed.left_out == ("tiny_thing/settings.ini",)
    assert _members(tmp_path, packed) == {"tiny_thing.py", "tiny_thing/__init__.py"}


def test_links_inside_the_sources_are_packed_and_others_named(tmp_path: Path) -> None:
    environment, project = _editable(tmp_path, **{"shared/table.csv": "1\n"})
    (tmp_path / "outside.txt").write_text("not ours")
    (project / "tiny_thing/table.csv").symlink_to("../shared/table.csv")
    (project / "tiny_thing/outside.txt").symlink_to(tmp_path / "outside.txt")
    (project / "tiny_thing/folder").symlink_to(tmp_path)
    packed = _packed(environment, "tiny-thing", tmp_path)
    assert packed.left_out == ("tiny_thing/folder", "tiny_thing/outside.txt")
    assert "tiny_thing/table.csv" in _members(tmp_path, packed)


def test_a_hook_that_is_not_understood_is_told_and_not_run(tmp_path: Path) -> None:
    environment, _ = _editable(tmp_path)
    sentinel = tmp_path / "ran"
    (environment.site_packages / "tiny.pth").write_text(f"import x; open({str(sentinel)!r}, 'w')\n")
    found = repack(environment.distribution("tiny-thing"), tmp_path)
    assert isinstance(found, Unavailable)
    assert "editable" in str(found)
    assert not sentinel.exists()


def test_what_is_too_large_is_not_packed(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    found = repack(original.distribution("tiny-thing"), tmp_path / "wheels", maximum_bytes=10)
    assert isinstance(found, Unavailable)
    assert not (tmp_path / "wheels").exists()


def test_what_has_no_record_or_lost_a_file_is_not_packed(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    (original.site_packages / "tiny_thing.py").unlink()
    assert isinstance(repack(original.distribution("tiny-thing"), tmp_path), Unavailable)
    next(original.site_packages.glob("*.dist-info/RECORD")).unlink()
    assert isinstance(repack(original.distribution("tiny-thing"), tmp_path), Unavailable)


def test_only_what_no_index_has_is_packed(tmp_path: Path) -> None:
    links = tmp_path / "links"
    make_wheel(links, "from-index")
    platform = f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-linux_x86_64"
    make_wheel(links, "built-here", tags=(platform,))
    environment = Environment(tmp_path / "env")
    environment.install("--no-index", "--find-links", str(links), "from-index", "built-here")
    environment.install(str(make_wheel(tmp_path / "given", "by-path")))
    found = environment.packages(tmp_path / "wheels")
    packed = {each.name for each in found.distributions if isinstance(each.repacked, Repacked)}
    assert packed == {"built-here", "by-path"}


def test_an_old_develop_install_becomes_a_wheel(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "tiny-thing")
    egg = project / "src" / "tiny_thing.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny-thing\nVersion: 0.1\n")
    (egg / "top_level.txt").write_text("tiny_thing\n")
    (found,) = Environment.distributions_in(project / "src")
    packed = repack(found, tmp_path)
    assert isinstance(packed, Repacked)
    again = _reinstalled(tmp_path, tmp_path / packed.name)
    assert one_of(again.packages(), "tiny-thing").record_digest == packed.record_digest
    assert again.run("import tiny_thing; tiny_thing.main()") == "hello"


def test_what_conda_installed_is_left_to_conda(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing")
    original = Environment(tmp_path / "env").install(str(wheel))
    next(original.site_packages.glob("*.dist-info/INSTALLER")).write_text("conda\n")
    found = repack(original.distribution("tiny-thing"), tmp_path)
    assert isinstance(found, Unavailable)
    assert "conda" in str(found)
