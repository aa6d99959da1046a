"""What cannot be rerun from a server is refused in seconds, in one sentence with its cure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.online.conftest import Original
from tests.support.client import put_file, record_run
from tests.support.machine import Done, Machine
from tests.support.server import free_port
from wandb_repro.manifest import canonical

WITHIN_S = 40.0
"""Two processes that import wandb on a busy machine; none of it is waiting."""

BARE = "default/bare/recorded-without-us"
BENT = "default/bent/changed-on-the-server"


def _refused(done: Done, code: int, sentence: str) -> None:
    """Check that a command ended in one sentence, its hint, and nothing else."""
    assert done.code == code, done.said
    assert "Traceback" not in done.said
    assert re.search(rf"error {sentence}", done.said), done.said
    assert "→" in done.err, done.said
    assert done.elapsed_s < WITHIN_S
    assert done.out == ""


@pytest.fixture(scope="module")
def bare(original: Original, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a run of the plain SDK, with a file that is not ours."""
    files = {"notes.txt": b"mine"}
    record_run(original.stored.server, tmp_path_factory.mktemp("bare"), BARE, files=files)
    return BARE


@pytest.fixture(scope="module")
def bent(original: Original, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give a copy of the original's capsule, for tests to change on the server."""
    record_run(
        original.stored.server, tmp_path_factory.mktemp("bent"), BENT, files=_parts(original)
    )
    return BENT


def _parts(original: Original) -> dict[str, bytes]:
    folder = original.stored.capsule.folder
    found = (path for path in folder.rglob("*") if path.is_file())
    return {f"repro/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in found}


@pytest.fixture
def change(original: Original, bent: str) -> Callable[[str, bytes], None]:
    """Give a function that replaces one file of an otherwise whole copy."""
    parts = _parts(original)

    def replace(name: str, content: bytes) -> None:
        for file, whole in {**parts, name: content}.items():
            put_file(original.stored.server, bent, file, whole)

    return replace


def test_a_run_recorded_without_us(bare: str, clean: Machine) -> None:
    done = clean.repro("rerun", bare, "--env", "here", "--yes")
    _refused(done, 2, f"Run {bare} was recorded without wandb_repro")


@pytest.mark.parametrize("path", ["default/online/nobody", "default/no-such-project/nobody"])
def test_a_run_or_a_project_that_is_not_there(
    original: Original, clean: Machine, path: str
) -> None:
    done = clean.repro("rerun", path, "--env", "here", "--yes")
    _refused(done, 2, f"There is no run {path} at {original.stored.server.base_url}")


def test_a_server_that_is_down(original: Original, clean: Machine) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    done = clean.repro("show", original.stored.path, WANDB_BASE_URL=down)
    _refused(done, 4, f"W&B at {down} did not answer: .*[Cc]onnection refused")


def test_nobody_logged_in(original: Original, clean: Machine) -> None:
    done = clean.repro("show", original.stored.path, WANDB_API_KEY="")
    _refused(done, 4, "You are not logged in to W&B at")


def test_a_manifest_with_one_byte_changed(
    original: Original, bent: str, clean: Machine, change: Callable[[str, bytes], None]
) -> None:
    document = original.stored.capsule.manifest.read_bytes()
    changed = document.replace(b'"2147483655"', b'"2147483656"', 1)
    assert len(changed) == len(document)
    assert changed != document
    change("repro/manifest.json", changed)
    done = clean.repro("rerun", bent, "--env", "here", "--yes")
    _refused(done, 4, "The manifest's digest does not match its content")
    assert not Path(clean.work, "wandb").exists()


@pytest.mark.slow
def test_a_manifest_that_was_cut_off(
    original: Original, bent: str, clean: Machine, change: Callable[[str, bytes], None]
) -> None:
    document = original.stored.capsule.manifest.read_bytes()
    change("repro/manifest.json", document[: len(document) // 2])
    _refused(clean.repro("show", bent), 4, ".*JSON")


@pytest.mark.slow
def test_a_manifest_of_a_newer_format(
    original: Original, bent: str, clean: Machine, change: Callable[[str, bytes], None]
) -> None:
    body = json.loads(original.stored.capsule.manifest.read_bytes())
    body["version"] = "2.0"
    del body["digest"]
    newer = {**body, "digest": "sha256:" + canonical.sha256(body)}
    change("repro/manifest.json", canonical.dumps(newer))
    _refused(clean.repro("show", bent), 4, "The manifest has format 2.0")


@pytest.mark.slow
def test_another_bundle_than_the_recorded_one(
    original: Original, bent: str, clean: Machine, change: Callable[[str, bytes], None]
) -> None:
    bundle = bytearray(original.stored.capsule.bundle.read_bytes())
    bundle[-1] ^= 1
    change("repro/code.bundle", bytes(bundle))
    done = clean.repro("rerun", bent, "--env", "here", "--yes")
    _refused(done, 4, "repro/code.bundle of this run does not match its manifest")
    assert not Path(clean.work, "wandb").exists()


def test_a_trail_that_was_changed(
    original: Original, bent: str, clean: Machine, change: Callable[[str, bytes], None]
) -> None:
    lines = original.stored.capsule.trail.read_bytes().splitlines(keepends=True)
    change("repro/trail.jsonl", b"".join([*lines[:2], *lines[3:]]))
    _refused(clean.repro("verify", original.stored.path, bent), 4, ".*trail")


def test_a_page_of_another_server(clean: Machine) -> None:
    done = clean.repro("show", "https://wandb.ai/somebody/project/runs/abc")
    _refused(done, 2, "Its page is on https://wandb.ai, but wandb is configured for")
