from __future__ import annotations

import json
import shutil
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.golden import DATA
from tests.support.recorded import Project, with_manifest
from wandb_repro.capture.dataset import dataset_of
from wandb_repro.errors import UsageError
from wandb_repro.testing import assert_matches_golden, pytest_options
from wandb_repro.testing.golden import assert_matches_golden as same

KEPT = DATA / "golden" / "1.0.json"
"""Written by the version that brought the format, of another seed; never edited."""


@pytest.fixture
def golden(numbers: Project, tmp_path: Path) -> Path:
    """Give a golden file of a training of four numbers."""
    file = tmp_path / "golden" / "numbers.json"
    pytest_options.begin(update=True)
    try:
        assert_matches_golden(numbers.run_folder, file)
        assert pytest_options.written() == (str(file),)
    finally:
        pytest_options.end()
    return file


@pytest.fixture(autouse=True)
def nothing_is_written() -> Generator[None]:
    """Take part in no ``--repro-update`` of the pytest that runs this."""
    pytest_options.begin(update=False)
    yield
    pytest_options.end()


def _told(run: object, file: Path) -> str:
    with pytest.raises(AssertionError) as caught:
        assert_matches_golden(run, file)
    return str(caught.value)


def _with_other_weights(project: Project) -> None:
    """Train again, one bit otherwise from the second epoch on."""
    assert project.record("train.py", NUMBERS_DO="differ:2").returncode == 0


def test_the_same_run_matches_however_it_is_named(numbers: Project, golden: Path) -> None:
    assert_matches_golden(numbers.run_folder, golden)
    assert_matches_golden(str(numbers.capsule.folder), str(golden))
    assert_matches_golden(SimpleNamespace(dir=str(numbers.run_folder / "files")), golden)
    assert same is assert_matches_golden


@pytest.mark.slow
def test_other_weights_do_not_match_and_are_named(
    numbers: Project, golden: Path, tmp_path: Path
) -> None:
    project = numbers.copy(tmp_path / "project")
    _with_other_weights(project)
    told = _told(project.run_folder, golden)
    assert told.startswith(f"{project.manifest.run.id} does not match {golden}.\n\n")
    assert "diverged  at the end of epoch 2\n" in told
    assert "  original        numbers.json\n" in told
    assert "first tensor    dense/kernel [4], trainable" in told
    assert "changes bits  The code or the data may have changed since the file was" in told
    assert "If this is intended, run pytest --repro-update to rewrite the file" in told
    assert "--json" not in told
    assert_matches_golden(project.run_folder, golden, rtol=0.1)


@pytest.mark.slow
def test_another_seed_is_named_as_the_cause(numbers: Project, golden: Path, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    script = (project.folder / "train.py").read_text().replace("seed=7", "seed=8")
    (project.folder / "train.py").write_text(script)
    assert project.record("train.py").returncode == 0
    assert "most likely first\n  changes bits  seed: 7 in the original, 8 here" in _told(
        project.run_folder, golden
    )
    with pytest.raises(AssertionError, match="diverged"):
        assert_matches_golden(project.run_folder, golden, rtol=1e-3)


def test_a_run_that_was_killed_proves_nothing(killed_run: Project, golden: Path) -> None:
    told = _told(killed_run.run_folder, golden)
    assert told.startswith("Nothing shows whether ")
    assert "inconclusive" in told


def test_a_file_holds_no_path_and_no_name_of_a_person(numbers: Project, golden: Path) -> None:
    text = golden.read_text()
    manifest = numbers.manifest
    assert str(numbers.folder) not in text
    assert manifest.run.id not in text
    assert '"train.py"' not in text
    assert len(json.loads(text)["trail"]) == len(list(numbers.trail.records))


def test_a_file_that_is_not_there_or_cannot_be_read_is_said(
    numbers: Project, golden: Path, tmp_path: Path
) -> None:
    told = _told(numbers.run_folder, tmp_path / "none.json")
    assert told == (
        f"There is no golden file {tmp_path / 'none.json'}. Run pytest --repro-update to write it, "
        "review it and commit it."
    )
    golden.write_text(golden.read_text().replace('"seed": "7"', '"seed": "8"'))
    assert "that this version can read: The manifest's digest does not match its content" in _told(
        numbers.run_folder, golden
    )
    golden.write_text("{}")
    assert "that this version can read: at manifest: field required" in _told(
        numbers.run_folder, golden
    )
    golden.write_text(KEPT.read_text().replace('"version": "1.0"\n}', '"version": "2.0"\n}'))
    assert "that this version can read: at version: " in _told(numbers.run_folder, golden)


def test_a_file_that_an_older_version_wrote_is_read(numbers: Project) -> None:
    told = _told(numbers.run_folder, KEPT)
    assert "diverged  at " in told
    assert "  original        numbers.json\n" in told


def test_no_file_is_written_of_a_run_without_weights(numbers: Project, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    project.capsule.trail.unlink()
    with_manifest(project, {})
    pytest_options.begin(update=True)
    try:
        told = _told(project.run_folder, tmp_path / "golden.json")
    finally:
        pytest_options.end()
    assert "was not written" in told
    assert "has no digest of weights after a step of training" in told
    assert not (tmp_path / "golden.json").exists()


def test_what_is_no_run_is_wrong_use(tmp_path: Path, numbers: Project) -> None:
    with pytest.raises(UsageError, match="A float is not a run"):
        assert_matches_golden(0.5, tmp_path / "a.json")
    with pytest.raises(UsageError, match="There is no folder"):
        assert_matches_golden(tmp_path / "nowhere", tmp_path / "a.json")
    folder = tmp_path / "plain"
    shutil.copytree(numbers.folder / "wandb", folder, symlinks=True)
    shutil.rmtree(folder / numbers.run_folder.name / "files" / "repro")
    with pytest.raises(UsageError, match="was recorded without wandb_repro"):
        assert_matches_golden(folder / numbers.run_folder.name, tmp_path / "a.json")


def test_a_fingerprint_keeps_its_digest_and_not_its_path(numbers: Project, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    images = tmp_path / "images.bin"
    images.write_bytes(b"pixels")
    measured = dataset_of("images", path=str(images)).dataset
    with_manifest(project, {"description.data": [measured.model_dump(mode="json")]})
    pytest_options.begin(update=True)
    try:
        assert_matches_golden(project.run_folder, tmp_path / "golden.json")
    finally:
        pytest_options.end()
    text = (tmp_path / "golden.json").read_text()
    assert str(measured.digest) in text
    assert str(tmp_path) not in text
    assert_matches_golden(project.run_folder, tmp_path / "golden.json")
    with_manifest(project, {"description.data.0.digest": "x:0"})
    told = _told(project.run_folder, tmp_path / "golden.json")
    assert "the data 'images' differs from the original's" in " ".join(told.split())
