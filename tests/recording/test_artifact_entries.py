"""The files of an artifact that a script logs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wandb_repro.recording.artifact_entries import ArtifactEntry, LoggedArtifact, logged_artifact


def listed(subject: Any, name: str | None = None, kind: str | None = None) -> LoggedArtifact:
    found = logged_artifact(subject, name, kind, "r1")
    assert found is not None
    return found._replace(entries=list(found.entries))


def artifact(kind: str = "model", **entries: Any) -> Any:
    return SimpleNamespace(name="m:v0", type=kind, manifest=SimpleNamespace(entries=entries))


def entry(local: str | None, ref: str | None = None) -> Any:
    return SimpleNamespace(local_path=local, ref=ref, digest="0a")


def test_a_path_has_the_name_that_w_and_b_gives_it(tmp_path: Path) -> None:
    file = tmp_path / "m.keras"
    file.touch()
    entries = [ArtifactEntry("m.keras", file, "")]
    assert listed(file) == LoggedArtifact("run-r1-m.keras", "unspecified", entries)
    assert listed(str(file), "best", "model") == LoggedArtifact("best", "model", entries)


def test_a_folder_has_the_names_below_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").touch()
    assert listed(tmp_path).entries == [ArtifactEntry("a/b", tmp_path / "a/b", "")]


def test_an_address_is_a_reference() -> None:
    assert listed("s3://bucket/m.bin").entries == [
        ArtifactEntry("m.bin", None, "s3://bucket/m.bin")
    ]


def test_an_artifact_has_its_own_entries() -> None:
    found = listed(artifact(b=entry("/x/b"), a=entry(None), c=entry("/x/c", ref="file:///x/c")))
    assert found.name == "m"
    assert found.entries == [
        ArtifactEntry("a", None, "0a"),
        ArtifactEntry("b", Path("/x/b"), "0a"),
        ArtifactEntry("c", None, "0a"),
    ]


@pytest.mark.parametrize("kind", ["code", "job", "run_table"])
def test_what_w_and_b_makes_of_code_and_logged_tables_is_no_output(kind: str) -> None:
    assert logged_artifact(artifact(kind), None, None, "r1") is None
