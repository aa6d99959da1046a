"""At a rerun all data is looked for and compared before anything trains, wherever it is now."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.recorded import NUMBERS, Answer, Ask, Project
from tests.support.records import full_manifest
from wandb_repro.capture.dataset.files import KnownFiles, digest_files
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.errors import InconclusiveError, RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles, Dataset
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.data_sources import Sources, check_restored, find_sources
from wandb_repro.rerun.plan import make_plan
from wandb_repro.store.artifact import version_of

SCRIPT = NUMBERS.replace(
    "        weights += ",
    "        wandb_repro.fingerprint(Path(path).stem, path=Path(path).parent)\n        weights += ",
)
"""Each argument is a file, whose folder is fingerprinted under the file's name."""

HERE = ("--env", "here", "--yes")


def data(folder: Path, name: str, text: str = "1.5") -> Path:
    """Make a folder of data with two files; the training reads the first."""
    (folder / name).mkdir(parents=True)
    (folder / name / f"{name}.csv").write_text(text)
    (folder / name / "more.csv").write_text("2.5")
    return folder / name


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Record a training that reads two folders beside its tree, both fingerprinted."""
    folder = tmp_path_factory.mktemp("sources")
    project = Project.made(folder / "project", SCRIPT)
    for name in ("train", "test"):
        data(folder, name)
    done = project.record("train.py", "../train/train.csv", "../test/test.csv")
    assert done.returncode == 0
    return project


@pytest.fixture
def capsule(trained: Project, tmp_path: Path) -> Path:
    """Give a copy of the capsule, away from its project."""
    return Path(shutil.copytree(trained.capsule.folder, tmp_path / "capsule"))


def rerun(ask: Ask, capsule: Path, *words: str) -> Answer:
    return ask("rerun", capsule, *HERE, *words, cwd=capsule.parent)


@pytest.mark.slow
def test_data_in_its_old_place_is_compared_and_used(capsule: Path, ask: Ask) -> None:
    answer = rerun(ask, capsule)
    assert answer.code == 0, answer.err
    assert "as it was recorded" in answer.error


def test_all_that_is_missing_or_changed_is_said_before_training(
    trained: Project, capsule: Path, ask: Ask
) -> None:
    folder = trained.folder.parent
    (folder / "train").rename(folder / "hidden")
    more = folder / "test" / "more.csv"  # nobody opened it: only the fingerprint knows of it
    more.write_text("2.6")
    try:
        answer = rerun(ask, capsule)
    finally:
        (folder / "hidden").rename(folder / "train")
        more.write_text("2.5")
    assert answer.code == 3
    assert f"that are not here: {folder}/train (data 'train')." in answer.error
    assert f"that are not the same here: {folder}/test (data 'test')." in answer.error
    assert "--data NAME=PATH" in answer.error
    assert "of numbers" not in answer.err
    assert not list(capsule.parent.glob("wandb/rerun-*"))


def test_data_that_lies_elsewhere_now_is_linked_to_where_the_script_looks(
    trained: Project, capsule: Path, ask: Ask, tmp_path: Path
) -> None:
    elsewhere = data(tmp_path / "elsewhere", "train")
    folder = trained.folder.parent
    (folder / "train").rename(folder / "hidden")
    try:
        answer = rerun(ask, capsule, "--data", f"train={elsewhere}")
    finally:
        (folder / "hidden").rename(folder / "train")
    assert answer.code == 0, answer.err


def test_other_data_given_for_the_recorded_one_does_not_train(
    capsule: Path, ask: Ask, tmp_path: Path
) -> None:
    answer = rerun(ask, capsule, "--data", f"train={data(tmp_path, 'train', '1.6')}")
    assert answer.code == 3
    assert "(data 'train')" in answer.error
    assert "of numbers" not in answer.err


def test_data_that_the_record_does_not_name_is_wrong_use(capsule: Path, ask: Ask) -> None:
    answer = rerun(ask, capsule, "--data", "valid=/tmp")
    assert answer.code == 2
    assert "There are train, test" in answer.error


@pytest.mark.slow
def test_data_in_the_tree_that_git_ignores_comes_with_the_record(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", SCRIPT)
    data(project.folder, "train")
    project.repository.write(".gitignore", "wandb/\ntrain/train.csv\n")
    assert project.record("train.py", "train/train.csv").returncode == 0
    capsule = Path(shutil.copytree(project.capsule.folder, tmp_path / "capsule"))
    shutil.rmtree(project.folder)
    answer = rerun(ask, capsule)
    assert answer.code == 0, answer.err


def of_data(files: DataFiles) -> Manifest:
    """Return a record of which nothing was read but this data."""
    whole = full_manifest()
    missing = Unavailable(unavailable="not asked")
    part = Dataset(name="train", kind="file", arrays=missing, digest=missing, files=files)
    told = whole.description.model_copy(update={"data": (part,), "inputs": ()})
    return whole.model_copy(update={"description": told})


def sources_of(files: DataFiles, given: dict[str, str] | None = None) -> Sources:
    manifest = of_data(files)
    code = manifest.execution.code
    assert isinstance(code, Code)
    return find_sources(manifest, code, given or {})


def files_at(path: str, **more: str) -> DataFiles:
    absolute = path if path.startswith("/") else f"/home/ada/digits/{path}"
    return DataFiles(
        path=path,
        absolute=absolute,
        count=1,
        size_bytes=3,
        digest="wrepro-file-xxh3-128-1:0",
        **more,
    )


def test_an_absolute_path_outside_the_tree_is_never_linked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="by its absolute path") as raised:
        sources_of(files_at("/data/x.csv"), {"train": str(tmp_path)})
    assert raised.value.hint == f"Put it there: ln -s {tmp_path} /data/x.csv"


VERSION = "ada/digits/x:v3"


def restored(tmp_path: Path, files: DataFiles, holds: Mapping[str, str] | Exception) -> Path:
    """Check a restored tree for data that an artifact holds; return where the tree is."""

    def fetch(version: str, folder: Path) -> Path:
        assert version == VERSION
        if isinstance(holds, Exception):
            raise holds
        return written(folder, holds)

    top = tmp_path / "work" / "tree"
    code = top / "ada" / "digits"
    code.mkdir(parents=True, exist_ok=True)
    downloads = tmp_path / "work" / "downloads"
    check_restored(sources_of(files), code, fetch, within=top, downloads=downloads)
    return code


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def held_by_artifact(path: str, like: Path) -> DataFiles:
    """Return the record of a path with the bytes of another, which an artifact holds."""
    known = KnownFiles()
    found = digest_files(str(like), Limits(), known)
    known.close()
    update = {"count": found.count, "digest": found.digest}
    return files_at(path, artifact=VERSION).model_copy(update=update)


def test_other_bytes_in_a_version_of_an_artifact_are_not_put_anywhere(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="as W&B has them now in ada/digits/x:v3") as raised:
        restored(tmp_path, files_at("../x.csv", artifact=VERSION), {"x.csv": "no"})
    assert "not the same here: /home/ada/x.csv (data 'train')" in raised.value.message
    assert not list((tmp_path / "work" / "tree").rglob("x.csv"))


def test_an_artifact_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    lost = OSError("no network.")
    with pytest.raises(InconclusiveError, match=r"x:v3 cannot be downloaded: no network\.$"):
        restored(tmp_path, files_at("../x.csv", artifact=VERSION), lost)


TEXTS = {"a.csv": "1", "sub/b.csv": "2"}


@pytest.mark.parametrize(
    ("path", "end"),
    [("../x", ""), ("../x/sub/b.csv", "sub/b.csv"), ("../x/sub", "sub"), ("../../c/x", "")],
)
def test_all_of_an_artifact_or_a_part_of_it_is_linked_where_the_script_looks(
    tmp_path: Path, path: str, end: str
) -> None:
    files = held_by_artifact(path, written(tmp_path / "like", TEXTS) / end)
    code = restored(tmp_path, files, TEXTS)
    place = code / path
    assert place.is_symlink()
    assert place.resolve().is_relative_to(tmp_path / "work" / "downloads")


def test_data_of_which_the_tree_holds_a_part_is_downloaded_whole(tmp_path: Path) -> None:
    part = tmp_path / "work" / "tree" / "ada" / "digits" / "x"
    written(part, {"a.csv": "1"})
    files = held_by_artifact("x", written(tmp_path / "like", TEXTS))
    assert (restored(tmp_path, files, TEXTS) / "x" / "sub" / "b.csv").read_text() == "2"
    assert part.is_symlink()


def test_what_an_artifact_holds_is_never_put_outside_of_the_new_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    code = tmp_path / "work" / "tree" / "ada" / "digits"
    code.mkdir(parents=True)
    (code / "data").symlink_to(tmp_path / "outside")
    files = held_by_artifact("data/x", written(tmp_path / "like", TEXTS))
    with pytest.raises(RefusedError, match="outside the new folder"):
        restored(tmp_path, files, TEXTS)
    assert not list((tmp_path / "outside").iterdir())


def test_a_tree_is_restored_as_deep_as_data_of_an_artifact_lay_above_it(tmp_path: Path) -> None:
    files = files_at("../../../data/x.csv", artifact=VERSION)
    plan = make_plan(of_data(files), tmp_path, ask_values=False)
    (source,) = plan.inputs.data.named("later")
    assert source.place is not None
    place = Path(os.path.normpath(plan.code / source.place))
    assert place.is_relative_to(plan.tree_folder)


@pytest.mark.parametrize("name", ["ada/digits/x:latest", "x:v3", "ada/digits/x", "", 7])
def test_an_alias_is_no_version(name: object) -> None:
    with pytest.raises(UsageError, match="no version of an artifact"):
        version_of(name)


@pytest.mark.parametrize("name", ["ada/digits/x:v12", "ada/my digits/x y:v3"])
def test_a_version_is_one(name: str) -> None:
    assert version_of(name) == name


def test_an_artifact_got_by_an_alias_is_the_version_that_it_meant() -> None:
    got = SimpleNamespace(qualified_name="ada/digits/x:latest", version="v3")
    assert version_of(got) == "ada/digits/x:v3"


def test_an_artifact_that_was_not_logged_has_no_version() -> None:
    import wandb

    with pytest.raises(UsageError, match="no version of an artifact"):
        version_of(wandb.Artifact("x", "dataset"))
