"""A version of an artifact is downloaded apart from the training that follows."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from wandb_repro.errors import StoreError
from wandb_repro.store.artifact import download_artifact


def test_a_download_leaves_the_settings_of_this_process_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    before = dict(os.environ)

    with pytest.raises(StoreError, match="did not give an answer"):
        download_artifact("ada/digits/x:v3", tmp_path)

    assert dict(os.environ) == before
