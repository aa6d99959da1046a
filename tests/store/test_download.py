from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TextIO

import pytest

from tests.support.manifests import small_manifest
from tests.support.records import changed
from wandb_repro.errors import ManifestError, NotFoundError, RefusedError
from wandb_repro.manifest.command import Cell, Cells, Command
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import write_cells
from wandb_repro.store.download import download_capsule

BUNDLE = b"bundle"
WHEELS = {"own-1.0-py3-none-any.whl": b"wheel"}
MANIFEST = small_manifest(BUNDLE, WHEELS).to_bytes()
CAPSULE = {
    "repro/manifest.json": MANIFEST,
    "repro/code.bundle": BUNDLE,
    "repro/trail.jsonl": b"{}\n",
    "repro/wheels/own-1.0-py3-none-any.whl": b"wheel",
}


@dataclass
class FakeFile:
    """A file as a server may tell of it; downloading writes it where its name says."""

    name: str
    content: bytes
    size: int
    md5: str | None = "x"

    def download(self, *, root: str, replace: bool) -> TextIO:
        assert replace
        path = Path(root, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        return path.open(encoding="latin-1")


@dataclass
class FakeRun:
    """A run on a server that answers ``files`` as it likes."""

    answers: Iterable[FakeFile]
    asked: list[str] = field(default_factory=list[str])
    entity: str = "team"
    project: str = "digits"
    id: str = "abc"
    name: str | None = "name"
    state: str = "finished"
    url: str = "https://wandb.ai/team/digits/runs/abc"

    def files(self, *, names: list[str], per_page: int) -> Iterable[FakeFile]:
        assert per_page > 0
        self.asked += names
        return self.answers


def _files(contents: Mapping[str, bytes]) -> list[FakeFile]:
    return [FakeFile(name, content, len(content)) for name, content in contents.items()]


def _download(folder: Path, answers: Iterable[FakeFile], *, code: bool = True) -> list[str]:
    scratch = folder / "scratch"
    scratch.mkdir()
    return download_capsule(FakeRun(answers), scratch, Capsule(folder / "capsule"), code=code)


def test_the_capsule_comes_whole(tmp_path: Path) -> None:
    assert _download(tmp_path, _files(CAPSULE)) == []
    for name, content in CAPSULE.items():
        assert (tmp_path / "capsule" / name.removeprefix("repro/")).read_bytes() == content


def _of_a_notebook(folder: Path, kept: Literal["run", "local"]) -> dict[str, bytes]:
    """Return the capsule of a notebook; its cells as the server has them."""
    cells = Cells(cells=(Cell(source="a = 1"),))
    file = write_cells(Capsule(folder), cells, redacted=(), kept=kept)
    command = Command(
        kind="notebook",
        target="notebook",
        arguments=(),
        working_directory=".",
        environment={},
        cells=file,
    )
    told = {"execution.command": command.model_dump(mode="json")}
    manifest = changed(small_manifest(BUNDLE, WHEELS), told)
    whole = {**CAPSULE, "repro/manifest.json": manifest.to_bytes()}
    return whole if kept == "local" else {**whole, "repro/cells.json": cells.to_bytes()}


def test_the_cells_of_a_notebook_come_too(tmp_path: Path) -> None:
    found = _of_a_notebook(tmp_path, "run")
    assert _download(tmp_path, _files(found)) == []
    there = (tmp_path / "capsule" / "cells.json").read_bytes()
    assert there == found["repro/cells.json"]


def test_other_cells_than_the_manifest_s_are_refused(tmp_path: Path) -> None:
    found = {**_of_a_notebook(tmp_path, "run"), "repro/cells.json": b"{}"}
    with pytest.raises(RefusedError, match="does not match its manifest"):
        _download(tmp_path, _files(found))
    assert not (tmp_path / "capsule" / "cells.json").exists()


def test_cells_that_stayed_on_their_machine_are_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert _download(tmp_path, _files(_of_a_notebook(tmp_path, "local"))) == []


def test_only_what_is_on_our_list_is_asked_for(tmp_path: Path) -> None:
    run = FakeRun(_files(CAPSULE))
    (tmp_path / "scratch").mkdir()
    download_capsule(run, tmp_path / "scratch", Capsule(tmp_path / "capsule"), code=True)
    assert sorted(run.asked) == sorted(CAPSULE)


def test_without_code_neither_bundle_nor_wheels_are_brought(tmp_path: Path) -> None:
    assert _download(tmp_path, _files(CAPSULE), code=False) == []
    brought = {path.name for path in (tmp_path / "capsule").iterdir()}
    assert brought == {"manifest.json", "trail.jsonl"}


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "repro/../../evil", "repro/evil", "evil"])
def test_a_name_that_was_not_asked_for_is_never_written(tmp_path: Path, name: str) -> None:
    _download(tmp_path, [FakeFile(name, b"evil", 4), *_files(CAPSULE)])
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert "evil" not in written
    assert not Path("/tmp/evil").exists()


def test_a_list_without_an_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    endless = (FakeFile("evil", b"", 0) for _ in itertools.count())
    with pytest.raises(NotFoundError):
        _download(tmp_path, endless)


def test_a_run_without_our_manifest_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="team/digits/abc was recorded without wandb_repro"):
        _download(tmp_path, [])


def test_an_entry_of_md5_0_is_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        _download(tmp_path, [FakeFile("repro/manifest.json", b"", 0, md5="0")])


def test_parts_that_are_not_on_the_server_are_named(tmp_path: Path) -> None:
    assert _download(tmp_path, _files({"repro/manifest.json": MANIFEST})) == [
        "trail.jsonl",
        "code.bundle",
        "wheels/own-1.0-py3-none-any.whl",
    ]


@pytest.mark.parametrize(
    ("name", "size_bytes"),
    [
        ("repro/manifest.json", 17_000_000),
        ("repro/code.bundle", 601_000_000),
        ("repro/trail.jsonl", 1_001_000_000),
        ("repro/wheels/own-1.0-py3-none-any.whl", 61_000_000),
    ],
)
def test_a_size_beyond_its_limit_is_refused_before_a_byte_is_brought(
    tmp_path: Path, name: str, size_bytes: int
) -> None:
    answers = _files(CAPSULE)
    large = next(file for file in answers if file.name == name)
    large.size = size_bytes
    with pytest.raises(RefusedError, match=rf"{name} of this run has .* MB, more than"):
        _download(tmp_path, answers)
    assert not (tmp_path / "scratch" / name).exists()


def test_more_bytes_than_the_server_told_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="more than the 16 MB"):
        _download(tmp_path, [FakeFile("repro/manifest.json", bytes(16_000_001), 5)])


@pytest.mark.parametrize("name", ["repro/code.bundle", "repro/wheels/own-1.0-py3-none-any.whl"])
def test_other_bytes_than_the_manifest_s_are_refused_and_removed(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="not match its manifest"):
        _download(tmp_path, _files({**CAPSULE, name: b"other"}))
    assert not (tmp_path / "capsule" / name.removeprefix("repro/")).exists()


@pytest.mark.parametrize("wheel", ["../x.whl", "/x.whl", "a b.whl", "x.tar.gz", "x.whl\n", ".."])
def test_a_wheel_s_name_that_is_none_is_refused(tmp_path: Path, wheel: str) -> None:
    manifest = small_manifest(BUNDLE, {wheel: b"wheel"}).to_bytes()
    with pytest.raises(ManifestError, match="not the name of a wheel") as caught:
        _download(tmp_path, _files({**CAPSULE, "repro/manifest.json": manifest}))
    assert caught.value.where == "execution.packages.distributions.0.repacked.name"
