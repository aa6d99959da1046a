from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.environments import Environment, make_wheel, use_folder_as_index
from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment import provide as provide_module
from wandb_repro.rerun.environment.bytecode import keep_bytecode
from wandb_repro.rerun.environment.cache import user_cache
from wandb_repro.rerun.environment.interpreter import find_python
from wandb_repro.rerun.environment.provide import Provided, Wanted, is_cached, provide

BUILDS = "Installing 1 packages"
TAKES = "Taking the environment of an earlier rerun"


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = use_folder_as_index(tmp_path / "links", monkeypatch)
    make_wheel(folder, "small")
    return folder


@pytest.fixture
def wanted(tmp_path: Path, links: Path) -> Wanted:
    """What a run recorded whose environment was one small package."""
    environment = Environment(tmp_path / "recorded")
    packages = environment.install("--no-index", "--find-links", str(links), "small").packages()
    return Wanted(packages, tmp_path / "wheels", find_python(packages.interpreter))


class Rerun:
    """Reruns that each want the environment in a folder of their own."""

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        self.wanted = wanted
        self.folder = folder
        self.said: list[str] = []

    def __call__(self, name: str, *, use_cache: bool = True) -> Provided:
        self.said.clear()
        place = self.folder / name / "env"
        place.parent.mkdir()
        return provide(self.wanted, place, self.said.append, use_cache=use_cache)

    def module(self, name: str) -> Path:
        """Return the package's file in one of them."""
        return Environment.at(self.folder / name / "env").site_packages / "small.py"

    @property
    def kept_module(self) -> Path:
        """The package's file in the kept one."""
        entry = user_cache().entry(self.wanted.key)
        return Environment.at(entry.environment).site_packages / "small.py"


@pytest.fixture
def rerun(wanted: Wanted, tmp_path: Path) -> Rerun:
    return Rerun(wanted, tmp_path)


def test_the_second_takes_what_the_first_built(rerun: Rerun) -> None:
    one = rerun("one")
    assert BUILDS in rerun.said
    two = rerun("two")
    assert rerun.said == [TAKES]
    assert two.built.python == rerun.folder / "two" / "env" / "bin" / "python"
    assert one.cached == two.cached
    there = Environment.at(rerun.folder / "two" / "env")
    assert there.packages().digest == rerun.wanted.packages.digest
    assert str(there.folder) in there.run("import small; print(small.__file__)")
    assert subprocess.run([there.folder / "bin" / "small"], check=True).returncode == 0


def test_whoever_builds_deletes_what_was_not_used_for_long(rerun: Rerun) -> None:
    old = user_cache().entry("old")
    old.environment.mkdir(parents=True)
    os.utime(old.folder, (1, 1))
    one = rerun("one")
    assert rerun.said[-1] == "Cached environments that were old or too large, deleted: 1"
    assert list(user_cache().entries()) == [one.cached]


def test_it_shares_its_files_and_not_its_folders(rerun: Rerun) -> None:
    """What one rerun installs, replaces or deletes no other sees."""
    rerun("one")
    rerun("two")
    assert rerun.module("one").samefile(rerun.module("two"))
    rerun.module("one").unlink()
    rerun.module("one").write_text("X = 1\n")
    (rerun.module("one").parent / "more.py").touch()
    rerun("three")
    assert rerun.said == [TAKES]
    for name in ("two", "three"):
        assert "def main" in rerun.module(name).read_text()
        assert not (rerun.module(name).parent / "more.py").exists()


def _change(module: Path, how: str) -> None:
    if how == "written":
        copy = module.read_bytes()
        module.unlink()
        module.write_bytes(copy.replace(b"hello", b"howdy"))
    elif how == "added":
        module.with_name("sitecustomize.py").write_text("raise SystemExit(9)\n")
    else:
        module.unlink()


@pytest.mark.parametrize("change", ["written", "added", "removed"])
def test_a_kept_one_that_was_changed_is_named_and_built_again(change: str, rerun: Rerun) -> None:
    rerun("one")
    _change(rerun.kept_module, change)
    rerun("two")
    assert any("changed since, so it is built again: lib/python" in line for line in rerun.said)
    assert BUILDS in rerun.said
    assert "hello" in rerun.module("two").read_text()
    assert "hello" in rerun.kept_module.read_text()
    rerun("three")
    assert rerun.said == [TAKES]


def test_what_was_written_into_uvs_own_cache_is_named(rerun: Rerun) -> None:
    """As a training does that writes into a file of its package: uv's environments share it."""
    rerun("one")
    with rerun.module("one").open("a") as file:
        file.write("X = 1\n")
    two = rerun("two")
    if "X = 1" not in rerun.module("two").read_text():
        pytest.skip("uv copies here, so that nothing is shared")
    assert two.cached is None
    assert "small.py is not the file of its wheel" in two.built.notes[-1]
    assert "uv cache clean small" in two.built.notes[-1]


def test_without_its_list_it_is_not_taken_for_whole(rerun: Rerun) -> None:
    first = rerun("one")
    assert first.cached is not None
    first.cached.files.write_text("[")
    rerun("two")
    assert "It was changed since, so it is built again: it has no list of its files" in rerun.said


def test_what_a_killed_builder_left_is_not_taken_for_whole(rerun: Rerun) -> None:
    left = user_cache().unfinished(rerun.wanted.key)
    (left.environment / "bin").mkdir(parents=True)
    assert not is_cached(rerun.wanted.packages, rerun.wanted.base)
    rerun("one")
    assert BUILDS in rerun.said
    assert not left.folder.exists()


def test_a_build_that_fails_leaves_nothing(rerun: Rerun, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(provide_module, "write_listing", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rerun("one")
    assert [path.suffix for path in user_cache().folder.iterdir()] == [".lock"]


def test_no_cache_neither_takes_nor_keeps(rerun: Rerun) -> None:
    assert rerun("one", use_cache=False).cached is None
    assert not user_cache().folder.exists()
    rerun("two")
    rerun("three", use_cache=False)
    assert BUILDS in rerun.said


def test_a_folder_that_cannot_be_made_is_said_once_and_does_no_harm(
    rerun: Rerun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WANDB_REPRO_CACHE", str(tmp_path / "file" / "below"))
    assert rerun("one").cached is None
    assert sum("The environment is not kept" in line for line in rerun.said) == 1
    assert "def main" in rerun.module("one").read_text()


def test_one_that_is_not_the_originals_is_not_kept(rerun: Rerun, links: Path) -> None:
    make_wheel(links, "small", files={"more.py": ""})
    one = rerun("one")
    assert [each.what for each in one.built.inequalities] == ["content"]
    assert one.cached is None
    assert Environment.at(rerun.folder / "one" / "env").run("import small; print(1)") == "1"
    assert not is_cached(rerun.wanted.packages, rerun.wanted.base)


def test_two_at_once_build_once(wanted: Wanted, tmp_path: Path) -> None:
    reruns = [Rerun(wanted, tmp_path) for _ in range(2)]
    threads = [threading.Thread(target=rerun, args=(str(at),)) for at, rerun in enumerate(reruns)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    said = [*reruns[0].said, *reruns[1].said]
    assert said.count(BUILDS) == 1
    assert said.count(TAKES) == 1
    assert all("def main" in reruns[0].module(str(at)).read_text() for at in range(2))


def test_who_waited_in_vain_builds_for_itself(
    rerun: Rerun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provide_module, "_PATIENCE_S", 0)
    with user_cache().locked(rerun.wanted.key) as mine:
        assert mine
        assert rerun("one").cached is None
    assert "Waiting for another rerun that builds the same environment" in rerun.said
    assert BUILDS in rerun.said


def test_a_rerun_does_not_need_what_it_was_cloned_from(rerun: Rerun) -> None:
    first = rerun("one")
    assert first.cached is not None
    first.cached.remove()
    assert Environment.at(rerun.folder / "one" / "env").run("import small; print(1)") == "1"


def _compile(rerun: Rerun, name: str) -> list[str]:
    """Import the package there as a training would; return the compiled files."""
    environment = Environment.at(rerun.folder / name / "env")
    clean: Mapping[str, str] = {"PATH": os.environ["PATH"]}
    subprocess.run([environment.python, "-c", "import small"], env=clean, check=True)
    return [path.name for path in environment.site_packages.glob("__pycache__/small.*")]


def test_what_python_compiled_in_the_first_the_next_have(rerun: Rerun) -> None:
    first = rerun("one")
    assert first.cached is not None
    assert _compile(rerun, "one")
    keep_bytecode(first.cached, rerun.folder / "one" / "env")
    rerun("two")
    (compiled,) = rerun.module("two").parent.glob("__pycache__/small.*")
    assert compiled.samefile(next(rerun.module("one").parent.glob("__pycache__/small.*")))


def test_a_builder_that_is_killed_lets_go(rerun: Rerun, wanted: Wanted) -> None:
    """Killed as the kernel kills: nothing is cleaned up. A real process holds the lock."""
    holds = (
        "import sys, time\n"
        "from wandb_repro.rerun.environment.cache import user_cache\n"
        "with user_cache().locked(sys.argv[1]) as mine:\n"
        "    print(mine, flush=True)\n"
        "    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", holds, wanted.key], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    process.kill()
    process.communicate()
    assert rerun("one").cached is not None


def test_a_build_that_cannot_be_had_is_an_error_as_ever(rerun: Rerun, links: Path) -> None:
    shutil.rmtree(links)
    links.mkdir()
    with pytest.raises(RebuildError, match="small"):
        rerun("one")
    assert not is_cached(rerun.wanted.packages, rerun.wanted.base)
