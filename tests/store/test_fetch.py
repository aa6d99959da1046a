"""A capsule that the real SDK uploaded is read back with the real SDK."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.client import put_file, record_run
from tests.support.manifests import small_manifest
from tests.support.server import WandbServer, free_port
from wandb_repro.errors import NotFoundError, RefusedError, StoreError, UsageError
from wandb_repro.store.fetch import fetch_capsule

RUN = "default/fetched/fetch-1"
BARE = "default/fetched/fetch-2"
BUNDLE = bytes(range(256)) * 1000
WHEEL = "own-1.0+local.1-py3-none-any.whl"
CAPSULE = {
    "manifest.json": small_manifest(BUNDLE, {WHEEL: b"wheel"}).to_bytes(),
    "code.bundle": BUNDLE,
    "trail.jsonl": b"{}\n",
    f"wheels/{WHEEL}": b"wheel",
}


@pytest.fixture(scope="module")
def recorded(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> WandbServer:
    """Record one run with a capsule and one without; return the server that holds them."""
    folder = tmp_path_factory.mktemp("recorded")
    files = {f"repro/{name}": content for name, content in CAPSULE.items()}
    record_run(wandb_server, folder, RUN, files=files)
    record_run(wandb_server, folder, BARE, files={})
    return wandb_server


@pytest.fixture(autouse=True)
def client(recorded: WandbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set this process up as a client of the server."""
    for name, value in recorded.environment().items():
        monkeypatch.setenv(name, value)


def test_a_capsule_is_brought_whole(recorded: WandbServer, tmp_path: Path) -> None:
    before = dict(os.environ)
    run = fetch_capsule(RUN, tmp_path / "capsule")
    assert (run.path, run.state, run.user, run.missing) == (RUN, "finished", "admin", ())
    assert run.url == f"{recorded.base_url}/default/fetched/runs/fetch-1"
    assert run.capsule.manifest.read_bytes() == CAPSULE["manifest.json"]
    brought = [path for path in (tmp_path / "capsule").rglob("*") if path.is_file()]
    there = {path.relative_to(tmp_path / "capsule").as_posix(): path for path in brought}
    assert {name: path.read_bytes() for name, path in there.items()} == CAPSULE
    assert dict(os.environ) == before


@pytest.mark.parametrize("address", ["fetched/fetch-1", "{server}/runs/" + RUN])
def test_a_run_is_found_by_each_of_its_addresses(
    recorded: WandbServer, address: str, tmp_path: Path
) -> None:
    run = fetch_capsule(address.format(server=recorded.base_url), tmp_path, code=False)
    assert run.path == RUN
    assert not run.capsule.bundle.exists()


def test_a_run_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no run default/fetched/nobody at") as caught:
        fetch_capsule("default/fetched/nobody", tmp_path)
    assert "wandb login" in caught.value.hint


def test_a_run_recorded_without_us_is_told_apart_and_a_huge_manifest_refused(
    recorded: WandbServer, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match=f"{BARE} was recorded without wandb_repro"):
        fetch_capsule(BARE, tmp_path)
    put_file(recorded, BARE, "../../../repro/manifest.json", b"elsewhere")
    put_file(recorded, BARE, "repro/manifest.json", bytes(17_000_000))
    with pytest.raises(RefusedError, match=r"repro/manifest.json of this run has 17 MB"):
        fetch_capsule(BARE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_of_another_server_is_not_asked_for_here(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"on https://wandb.ai, but wandb is configured for"):
        fetch_capsule("https://wandb.ai/default/fetched/runs/fetch-1", tmp_path)


def test_a_server_that_is_down_is_told_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{free_port()}")
    started = time.monotonic()
    with pytest.raises(StoreError, match=r"(?i)connection refused") as caught:
        fetch_capsule(RUN, tmp_path)
    assert time.monotonic() - started < 15
    assert caught.value.exit_code == 4
    assert capfd.readouterr() == ("", "")


def test_nobody_logged_in_is_told_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    with pytest.raises(StoreError, match="You are not logged in to W&B at"):
        fetch_capsule(RUN, tmp_path)
