"""From what a person types to a capsule."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.records import full_manifest
from wandb_repro.errors import NotFoundError, UsageError
from wandb_repro.store import locate as locate_module
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.locate import locate, looks_like_path

OLD = "offline-run-20260101_120000-a1b2c3d4"
NEW = "offline-run-20260102_120000-a1b2c3d4"
ONLINE = "run-20260103_120000-0nl1ne00"
PLAIN = "offline-run-20260104_120000-pla1n000"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder in which four runs were recorded, one of them without us."""
    for name in (OLD, NEW, ONLINE):
        files = tmp_path / "wandb" / name / "files" / "repro"
        files.mkdir(parents=True)
        (files / "manifest.json").write_bytes(full_manifest().to_bytes())
        (tmp_path / "wandb" / name / f"run-{name[-8:]}.wandb").touch()
    (tmp_path / "wandb" / PLAIN / "files").mkdir(parents=True)
    (tmp_path / "wandb" / "latest-run").symlink_to(NEW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    return tmp_path


FORMS = {
    "latest": NEW,
    "wandb/latest-run": NEW,
    f"wandb/{OLD}": OLD,
    f"wandb/{OLD}/": OLD,
    f"./wandb/{OLD}/files": OLD,
    f"wandb/{OLD}/files/repro": OLD,
    f"wandb/{OLD}/files/repro/manifest.json": OLD,
    f"wandb/{OLD}/run-a1b2c3d4.wandb": OLD,
    "a1b2c3d4": NEW,
    "0nl1ne00": ONLINE,
}


@pytest.mark.parametrize(("run", "folder"), FORMS.items())
def test_a_run_on_this_disk_has_many_names(run: str, folder: str, project: Path) -> None:
    located = locate(run, project / "scratch")

    assert located.capsule.folder == (project / "wandb" / folder / "files" / "repro").resolve()
    assert located.found is None


def test_another_folder_of_wandb_is_looked_into(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("WANDB_DIR", str(project))

    assert locate("latest", project / "scratch").capsule.folder.parts[-3] == NEW


MISSING = {
    "./nowhere": "There is no folder ./nowhere.",
    "/no/such/folder": "There is no folder /no/such/folder.",
    "a/b/c/d": "There is no folder a/b/c/d.",
    "zzzzzzzz": "No run 'zzzzzzzz' in wandb.",
    "c3d4": "No run 'c3d4' in wandb.",
    PLAIN: f"No run '{PLAIN}' in wandb.",
    f"wandb/{PLAIN}": f"The run in wandb/{PLAIN} was recorded without wandb_repro.",
    "pla1n000": f"The run in wandb/{PLAIN} was recorded without wandb_repro.",
}


@pytest.mark.parametrize(("run", "sentence"), MISSING.items())
@pytest.mark.usefixtures("project")
def test_a_run_that_is_not_there_is_told(run: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        locate(run, tmp_path)

    assert caught.value.message == sentence
    assert caught.value.hint


def test_without_any_run_there_is_no_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NotFoundError, match="There is no run here to call 'latest'"):
        locate("latest", tmp_path)
    with pytest.raises(NotFoundError, match="No run 'a1b2c3d4' in wandb"):
        locate("a1b2c3d4", tmp_path)


@pytest.mark.parametrize("run", ["", "  "])
def test_an_empty_name_is_wrong_use(run: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The name of the run is empty"):
        locate(run, tmp_path)


REMOTE = [
    "ada/digits/a1b2c3d4",
    "digits/a1b2c3d4",
    "https://wandb.example/ada/digits/runs/a1b2c3d4",
]


@pytest.mark.parametrize("run", REMOTE)
@pytest.mark.usefixtures("project")
def test_a_run_on_wandb_is_downloaded(
    run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Path, bool]] = []

    remote = RemoteRun(
        entity="ada",
        project="digits",
        id="a1b2c3d4",
        name="brisk-sun-7",
        url="",
        state="finished",
        user="ada",
        capsule=Capsule(tmp_path / "scratch" / "capsule"),
        missing=(),
    )

    def fetch(run: str, destination: Path, *, code: bool) -> RemoteRun:
        asked.append((run, destination, code))
        return remote

    monkeypatch.setattr(locate_module, "fetch_capsule", fetch)

    located = locate(run, tmp_path / "scratch", code=False)

    assert located.found is remote
    assert asked == [(run, tmp_path / "scratch" / "capsule", False)]
    assert located.capsule.folder.is_dir()


@pytest.mark.parametrize(
    ("run", "meant"),
    [("./a", True), ("/a", True), ("~/a", True), ("a/b/c/d", True), ("a/b/c", False), ("a", False)]
    + [(address, False) for address in REMOTE],
)
def test_a_name_that_can_only_be_a_folder(run: str, meant: bool) -> None:
    assert looks_like_path(run) == meant
