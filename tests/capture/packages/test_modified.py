from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_wheel, one_of
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.modified import find_modified
from wandb_repro.capture.packages.repack import repack_modified
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import EditedPackage, Repacked

TABLE = {"tiny_data/table.csv": "1,2\n", "tiny_data/a,b.txt": "x\n"}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files=TABLE)
    return Environment(tmp_path / "env").install(str(wheel))


def _found(environment: Environment, *sources: str) -> tuple[EditedPackage, ...]:
    return find_modified(installation(environment.host.installed).chosen, sources=sources)


@pytest.mark.parametrize("how", ["uv", "pip"])
def test_an_untouched_install_is_never_called_edited(tmp_path: Path, how: str) -> None:
    wheel = make_wheel(tmp_path / "given", "tiny-thing", files=TABLE)
    new = Environment(tmp_path / "env")
    (new.install if how == "uv" else new.install_by_pip)(str(wheel))
    sources = [str(path) for path in new.site_packages.rglob("*.py")]
    assert _found(new, *sources) == ()


def test_a_copied_environment_is_not_called_edited(
    environment: Environment, tmp_path: Path
) -> None:
    """Every file of it is younger than its RECORD may be."""
    shutil.copytree(environment.folder, tmp_path / "copy", copy_function=shutil.copyfile)
    copy = Environment.at(tmp_path / "copy")
    for record in copy.site_packages.glob("*.dist-info/RECORD"):
        os.utime(record, (1, 1))
    assert _found(copy) == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [("tiny_thing.py", "edited = True\n"), ("tiny_data/table.csv", "1,3\n")],
)
def test_a_file_edited_by_hand_is_named(environment: Environment, file: str, text: str) -> None:
    (environment.site_packages / file).unlink()
    (environment.site_packages / file).write_text(text)
    assert _found(environment) == (EditedPackage(name="tiny-thing", files=(file,)),)


def test_an_edit_that_keeps_size_and_time_is_found_in_what_is_loaded(
    environment: Environment,
) -> None:
    path = environment.site_packages / "tiny_thing.py"
    before, status = path.read_text(), path.stat()
    path.unlink()
    path.write_text(before.replace("hello", "hullo"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _found(environment) == ()
    assert [each.files for each in _found(environment, str(path))] == [("tiny_thing.py",)]


def test_a_file_that_is_gone_is_no_edit(environment: Environment) -> None:
    (environment.site_packages / "tiny_data/table.csv").unlink()
    assert _found(environment) == ()


def test_files_of_conda_are_not_called_edited(environment: Environment) -> None:
    (environment.site_packages / "tiny_thing.py").write_text("prefix = '/opt/conda'\n")
    next(environment.site_packages.glob("*.dist-info/INSTALLER")).write_text("conda\n")
    assert _found(environment) == ()


def test_what_was_edited_is_packed_as_it_is(environment: Environment, tmp_path: Path) -> None:
    (environment.site_packages / "tiny_thing.py").unlink()
    (environment.site_packages / "tiny_thing.py").write_text("def main():\n    print('mine')\n")
    whole = repack_modified(
        environment.host, environment.packages(), _found(environment), tmp_path / "wheels"
    )
    packed = one_of(whole, "tiny-thing").repacked
    assert isinstance(packed, Repacked)
    again = Environment(tmp_path / "again").install(str(tmp_path / "wheels" / packed.name))
    assert again.run("import tiny_thing; tiny_thing.main()") == "mine"
    assert one_of(again.packages(), "tiny-thing").record_digest == packed.record_digest


def test_an_edit_that_may_not_be_stored_is_still_named(
    environment: Environment, tmp_path: Path
) -> None:
    altered = (EditedPackage(name="tiny-thing", files=("tiny_thing.py",)),)
    whole = repack_modified(
        environment.host, environment.packages(), altered, tmp_path / "wheels", withheld="off"
    )
    assert one_of(whole, "tiny-thing").repacked == Unavailable(unavailable="off")
    assert not (tmp_path / "wheels").exists()
