from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from wandb_repro.capture.process import opened_files
from wandb_repro.capture.process.input_files import InputWatch
from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("train.py", "data/x.npy", "wandb/run/a.txt", ".git/HEAD"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return root


def _inputs(
    project: Path, *opened: Path | str, ignore: Sequence[Path] = (), root: Path | None = None
) -> tuple[InputFile, ...]:
    openings = OpenedFiles()
    for path in opened:
        openings.notice("open", (str(path), "r", os.O_RDONLY))
    return InputWatch(openings).inputs(
        code_paths=frozenset({"train.py", "src/app.py"}), code_root=root or project, ignore=ignore
    )


def _names(found: tuple[InputFile, ...]) -> list[str]:
    return [Path(file.absolute).name for file in found]


def test_a_file_beside_the_snapshot_is_an_input(project: Path) -> None:
    data = project / "data/x.npy"
    assert _inputs(project, data, project / "train.py") == (
        InputFile(path=str(data), absolute=str(data), size_bytes=10),
    )


def test_inputs_are_sorted_and_told_once(project: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    opened = [project / "data/x.npy", tmp_path / "a", tmp_path / "a"]
    assert _names(_inputs(project, *opened)) == ["a", "x.npy"]


def test_a_tree_reached_by_a_link_is_the_same_tree(project: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(project)
    assert not _inputs(project, project / "train.py", link / "train.py", root=link)


def test_without_a_tree_every_file_is_an_input(project: Path) -> None:
    openings = OpenedFiles()
    openings.notice("open", (str(project / "train.py"), "r", os.O_RDONLY))
    found = InputWatch(openings).inputs(code_paths=frozenset(), code_root=None, ignore=())
    assert _names(found) == ["train.py"]


@pytest.mark.parametrize(
    "name",
    [
        ".git/config",
        ".netrc",
        ".gitconfig",
        ".config/wandb/settings",
        ".cache/wandb/x",
        ".config/git/config",
        "env/lib/python3.11/site-packages/x.py",
    ],
)
def test_settings_and_packages_are_no_inputs(project: Path, name: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    assert not _inputs(project, path)


def test_ignored_folders_are_no_inputs(project: Path) -> None:
    path = project / "wandb/run/a.txt"
    assert not _inputs(project, path, ignore=[project / "wandb"])
    assert _inputs(project, path, ignore=[project / "wan"])


def test_a_file_that_is_gone_is_no_input(project: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_text("x")
    openings = OpenedFiles()
    openings.notice("open", (str(gone), "r", os.O_RDONLY))
    gone.unlink()
    watch = InputWatch(openings)
    assert not watch.inputs(code_paths=frozenset(), code_root=project, ignore=())


def test_code_imported_from_elsewhere_is_told_by_its_source(project: Path, tmp_path: Path) -> None:
    outside, inside = tmp_path / "lib.py", project / "src/app.py"
    for source in (outside, inside):
        compiled = Path(importlib.util.cache_from_source(str(source)))
        compiled.parent.mkdir(parents=True)
        source.write_text("x")
        compiled.write_text("x")
    opened = [importlib.util.cache_from_source(str(it)) for it in (outside, inside)]
    (found,) = _inputs(project, *opened)
    assert found.absolute == str(outside)
    assert isinstance(found.size_bytes, Unavailable)


def test_nothing_is_noticed_while_paused(project: Path) -> None:
    openings = OpenedFiles()
    watch = InputWatch(openings)
    event = ("open", (str(project / "data/x.npy"), "r", os.O_RDONLY))
    with watch.paused():
        openings.notice(*event)
    assert not openings.read
    openings.notice(*event)
    assert openings.read


def test_a_second_watch_knows_what_the_first_one_noticed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process has one list. Once another test has begun it, the fixture's own writing of the
    # file is in it, and what a process wrote is no input.
    monkeypatch.setattr(OpenedFiles.of_process(), "read", {})
    monkeypatch.setattr(OpenedFiles.of_process(), "written", set[str]())
    first, second = InputWatch(), InputWatch()
    first.start()
    (project / "data/x.npy").read_text()
    second.start()
    found = second.inputs(code_paths=frozenset(), code_root=None, ignore=())
    assert str(project / "data/x.npy") in [file.absolute for file in found]


@pytest.mark.parametrize("tag", ["cpython-311", "cpython-311.opt-1", "cpython-311-pytest-9.2.0"])
def test_compiled_code_is_told_by_its_source_whoever_compiled_it(project: Path, tag: str) -> None:
    folder = project.parent / "beside"
    (folder / "__pycache__").mkdir(parents=True)
    compiled = folder / f"__pycache__/tool.{tag}.pyc"
    for file in (folder / "tool.py", compiled):
        file.write_text("x")

    (found,) = _inputs(project, compiled)

    assert found.absolute == str(folder / "tool.py")
    assert isinstance(found.size_bytes, Unavailable)


def test_data_in_the_temporary_folder_is_an_input_and_what_tools_write_there_is_not(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    names = ("x.csv", "__autograph_generated_file3k_x9z1.py", "ipykernel_12/345.py")
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert _names(_inputs(project, *(tmp_path / name for name in names))) == ["x.csv"]


def test_the_request_of_a_rerun_is_no_input(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, data = tmp_path / "work/request.json", tmp_path / "work/tree/x.npy"
    data.parent.mkdir(parents=True)
    for file in (request, data):
        file.write_text("x")
    assert _names(_inputs(project, request, data)) == ["request.json", "x.npy"]
    monkeypatch.setenv("WANDB_REPRO_ORDER", str(request))
    assert _names(_inputs(project, request, data)) == ["x.npy"]


def test_a_file_is_as_read_until_it_changes(project: Path) -> None:
    data = project / "data/x.npy"
    opened = OpenedFiles()
    opened.notice("open", (str(data), "r", os.O_RDONLY))
    watch = InputWatch(opened)
    assert watch.is_as_read(str(data))
    os.utime(data, ns=(1, 1))
    assert not watch.is_as_read(str(data))
    data.write_text("another size")
    assert not watch.is_as_read(str(data))


def test_a_tree_below_a_system_folder_is_watched_once_it_is_included() -> None:
    script = Path("/usr/src/app/train.py")
    watch = InputWatch(opened := OpenedFiles())
    watch.include(script.parent)
    assert opened.included == ("/usr/src/app/",)


def test_the_record_says_that_more_files_were_read_than_it_names(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_files, "MOST_FILES", 1)
    (project / "data/y.npy").write_text("y")
    more, named = _inputs(project, project / "data/x.npy", project / "data/y.npy")
    assert more.reason == "more than 10,000 files were read; the others are not recorded"
    assert more.size_bytes == Unavailable(unavailable="they were not counted")
    assert named.path == str(project / "data/x.npy")


def test_a_fault_while_files_were_noted_is_raised_when_they_are_asked_for(project: Path) -> None:
    openings = OpenedFiles()
    del openings.written
    openings.notice("open", (str(project / "data/x.npy"), "r", os.O_RDONLY))
    with pytest.raises(AttributeError, match="written"):
        InputWatch(openings).inputs(code_paths=frozenset(), code_root=None, ignore=())
