"""A version of an artifact is downloaded apart from the training that follows."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from wandb_repro.errors import StoreError, UsageError
from wandb_repro.store.artifact import download_artifact, version_of


def test_a_download_leaves_the_settings_of_this_process_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    before = dict(os.environ)

    with pytest.raises(StoreError, match="did not answer"):
        download_artifact("ada/digits/x:v3", tmp_path)

    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["ada/digits/x:latest", "x:v3", "ada/digits/x", "", 7])
def test_an_alias_is_no_version(name: object) -> None:
    with pytest.raises(UsageError, match="not an artifact version"):
        version_of(name)


@pytest.mark.parametrize("name", ["ada/digits/x:v12", "ada/my digits/x y:v3"])
def test_a_version_is_one(name: str) -> None:
    assert version_of(name) == name


def test_an_artifact_got_by_an_alias_is_the_version_that_it_meant() -> None:
    got = SimpleNamespace(qualified_name="ada/digits/x:latest", version="v3")
    assert version_of(got) == "ada/digits/x:v3"


def test_an_artifact_that_was_not_logged_has_no_version() -> None:
    import wandb

    with pytest.raises(UsageError, match="not an artifact version"):
        version_of(wandb.Artifact("x", "dataset"))
