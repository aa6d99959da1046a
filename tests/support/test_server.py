"""The test server holds what the real SDK sends, and gives it back to ``wandb.Api``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import put_file, record_run, run_client
from tests.support.server import WandbServer

pytestmark = pytest.mark.slow
"""Of the server itself, which all tests in ``online`` use."""

RUN = "default/served/server-1"
OTHER = "default/served/server-2"
MANIFEST = json.dumps({"text": "é", "seed": "18446744073709551615"}).encode() + b"\n"
FILES = {"repro/manifest.json": MANIFEST, "repro/wheels/a b-1.0.whl": bytes(range(256)) * 300}
CONFIG = {"lr": 0.001, "repro": {"seed": "42", "dirty": True, "commit": "c0ffee"}}
SUMMARY = {"repro/weights": "0" * 64, "repro/verdict": "identical"}

READ = """
import json, pathlib, sys, wandb
api = wandb.Api()
run = api.run(sys.argv[1])
files = list(run.files(per_page=2))
for file in files:
    if file.name.startswith("repro/"):
        file.download(root="down")
print(json.dumps({
    "entity": api.default_entity,
    "viewer": api.viewer.username,
    "config": run.config,
    "summary": {key: run.summary[key] for key in run.summary.keys()},
    "state": run.state,
    "url": run.url,
    "group": run.group,
    "metadata": run.metadata,
    "files": {file.name: file.size for file in files},
    "named": [file.name for file in run.files(names=["repro/manifest.json", "no.json"])],
    "like": [file.name for file in run.files(pattern="%.whl")],
    "history": run.history(pandas=False),
    "sampled": run.history(keys=["loss"], pandas=False),
}))
"""

FIND = """
import json, sys, wandb
api = wandb.Api()
print(json.dumps([
    [run.id for run in api.runs(sys.argv[1], filters=filters, order="-created_at", per_page=1)]
    for filters in json.loads(sys.argv[2])
]))
"""

FAIL = """
import json, sys, wandb
api = wandb.Api()
def error_of(code):
    try:
        eval(code)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
print(json.dumps([error_of(code) for code in json.loads(sys.argv[1])]))
"""


@pytest.fixture(scope="module")
def folder(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record a run online, another one offline, and sync that; return where."""
    there = tmp_path_factory.mktemp("recorded")
    record_run(wandb_server, there, RUN, files=FILES, config=CONFIG, summary=SUMMARY, steps=3)
    record_run(wandb_server, there, OTHER, files=FILES, config={"lr": 0.1}, mode="offline")
    (offline,) = (there / "wandb").glob("offline-run-*")
    synced = run_client(wandb_server, there, "-m", "wandb", "sync", str(offline))
    assert synced.returncode == 0, synced.stderr
    return there


@pytest.fixture(scope="module")
def read(wandb_server: WandbServer, folder: Path) -> dict[str, Any]:
    """Return what ``wandb.Api`` tells of the first run."""
    return _read(wandb_server, folder / "first", RUN)


def _read(server: WandbServer, folder: Path, run: str) -> dict[str, Any]:
    folder.mkdir()
    done = run_client(server, folder, "-c", READ, run)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_config_comes_back_with_its_nesting(read: dict[str, Any]) -> None:
    assert read["config"] == CONFIG


def test_summary_strings_come_back(read: dict[str, Any]) -> None:
    assert {key: read["summary"][key] for key in SUMMARY} == SUMMARY


def test_files_come_back_over_pages_with_their_bytes(read: dict[str, Any], folder: Path) -> None:
    assert {name: read["files"][name] for name in FILES} == {n: len(b) for n, b in FILES.items()}
    assert {name: (folder / "first/down" / name).read_bytes() for name in FILES} == FILES


def test_files_are_found_by_name_and_by_pattern(read: dict[str, Any]) -> None:
    assert read["named"] == ["repro/manifest.json"]
    assert read["like"] == ["repro/wheels/a b-1.0.whl"]


def test_run_tells_who_and_where_it_is(wandb_server: WandbServer, read: dict[str, Any]) -> None:
    assert (read["entity"], read["viewer"], read["state"]) == ("default", "admin", "finished")
    assert read["url"] == f"{wandb_server.base_url}/default/served/runs/server-1"
    assert read["metadata"]["os"]
    assert read["group"] is None


def test_history_comes_back(read: dict[str, Any]) -> None:
    losses = [1.0, 0.5, 1 / 3]
    assert [line["loss"] for line in read["history"]] == losses
    assert read["sampled"] == [{"_step": step, "loss": loss} for step, loss in enumerate(losses)]


def test_offline_run_comes_back_after_sync(wandb_server: WandbServer, folder: Path) -> None:
    read = _read(wandb_server, folder / "second", OTHER)
    assert read["config"] == {"lr": 0.1}
    assert {name: (folder / "second/down" / name).read_bytes() for name in FILES} == FILES


def test_runs_are_found_by_filters(wandb_server: WandbServer, folder: Path) -> None:
    filters = [
        {},
        {"config.repro.seed": "42"},
        {"config.repro.value.seed": "42"},
        {"$or": [{"summary_metrics.repro/verdict": "identical"}, {"name": "server-2"}]},
        {"config.lr": {"$ne": 0.001}, "state": {"$in": ["finished"]}},
        {"tags": "none"},
    ]
    done = run_client(wandb_server, folder, "-c", FIND, "default/served", json.dumps(filters))
    both, first, second = ["server-2", "server-1"], ["server-1"], ["server-2"]
    assert json.loads(done.stdout) == [both, first, first, both, second, []], done.stderr


MISSING = {
    "api.run('default/served/nobody')": "Could not find run",
    "api.run('default/nothing/server-1')": "Could not find run",
    f"api.run({RUN!r}).file('no.json')": "list index out of range",
    "list(api.runs('default/nothing'))": "Could not find project",
    "list(api.runs('default/served', {'a': 1}))": "no filter on 'a'",
    "list(api.runs('default/served', {'name': {'$x': 1}}))": "no filter operator '$x'",
}


def test_what_is_not_there_is_the_sdk_s_own_error(wandb_server: WandbServer, folder: Path) -> None:
    done = run_client(wandb_server, folder, "-c", FAIL, json.dumps(list(MISSING)))
    errors = json.loads(done.stdout)
    for (code, told), error in zip(MISSING.items(), errors, strict=True):
        assert told in error, code


def test_a_file_put_past_the_sdk_is_listed_like_any_other(
    wandb_server: WandbServer, folder: Path
) -> None:
    put_file(wandb_server, OTHER, "repro/added.txt", b"added")
    assert wandb_server.file_path(OTHER, "repro/added.txt").read_bytes() == b"added"
    code = f"import wandb; print(wandb.Api().run({OTHER!r}).file('repro/added.txt').size)"
    assert run_client(wandb_server, folder, "-c", code).stdout == "5\n"
