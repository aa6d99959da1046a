"""Fifty kinds of secret are planted wherever people have them, and looked for in what left."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.machine import Machine, Stored, a_project, only_run
from tests.support.planted import KINDS, hexadecimal, signs
from tests.support.server import WandbServer
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.restore import restore
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

TRAIN = '''
"""A training of four numbers."""

import sys

import numpy as np

import wandb_repro
from wandb_repro.capture.weights import Variable
from wandb_repro.api import find_session
from wandb_repro.recording.trail_sink import Point

assert any(len(word) > 40 for word in sys.argv)
run = wandb_repro.init(project="leaving", config={"lr": 0.1}, seed=7)
assert any(len(word) > 40 for word in sys.argv)
session = find_session(run)
session.begin_fit(None)
weights = np.random.normal(size=4)
session.weights(Point("initial", 1, 0, 0), [Variable("trainable", "w", weights)])
session.end_fit(session.fits)
'''

ARGUMENTS = {
    "an option's value": ("--api-key", "{}"),
    "an option with its value": ("--db-password={}",),
    "a token by itself": ("gh" + "p_{}",),
    "a password in an address": ("--data=https://ada:{}@data.example/x",),
    "a token in an address": ("--weights=https://data.example/x?token={}",),
    "a signature in an address": ("--s3=https://b.example/x?X-Amz-Signature={}",),
    "a Hydra override": ("+logger.api_key={}",),
    "a value in JSON": ('--config={{"secret": "{}"}}',),
    "a header": ("--header", "Authorization: Bearer {}"),
    "a key of a service": ("--note", "sk" + "-proj-{}"),
}
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "{}",
    "HF_TOKEN": "hf" + "_{}",
    "OPENAI_API_KEY": "{}",
    "DATABASE_URL": "postgresql://ada:{}@db/x",
    "UV_INDEX": "https://ada:{}@index.example/simple",
    "PIP_EXTRA_INDEX_URL": "https://ada:{}@index.example/simple",
    "MY_OWN_SECRET": "{}",
}


def _value(where: str) -> str:
    return signs(where, 40)


def _planted() -> dict[str, str]:
    """Return every value that must not leave, by where it is."""
    files = {f"{kind}, in a file": planted.value for kind, planted in KINDS.items()}
    elsewhere = (*ARGUMENTS, *ENVIRONMENT, "remote", "remote's user", "direct_url", "message")
    return files | {where: _value(where) for where in elsewhere} | {"branch": _branch()}


def _branch() -> str:
    return "gh" + "p_" + signs("branch", 36)


@dataclass(frozen=True)
class Left:
    """What left, and where it was found."""

    pieces: Mapping[str, bytes]
    manifest: Manifest
    said: str


@pytest.fixture(scope="module")
def left(wandb_server: WandbServer, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Record a run in a project full of secrets; return every byte that left."""
    machine = Machine(wandb_server, tmp_path_factory.mktemp("full"))
    project = a_project(machine.folder / "project", TRAIN, {})
    _plant_files(project)
    _plant_in_git(project)
    site = _plant_distribution(machine.folder / "site")
    words = [word.format(_value(at)) for at, given in ARGUMENTS.items() for word in given]
    environment = {name: text.format(_value(name)) for name, text in ENVIRONMENT.items()}
    done = machine.run("train.py", *words, cwd=project, PYTHONPATH=str(site), **environment)
    assert done.code == 0, done.said
    run = only_run(project)
    stored = Stored(wandb_server, f"default/leaving/{run.name.rpartition('-')[2]}")
    manifest = read_manifest(stored.capsule)
    pieces = {
        **dict(_contents(run, "run folder")),
        **dict(_contents(stored.file("repro").parent, "server")),
        **dict(_contents(_tree(stored.capsule, manifest, machine.folder), "source tree")),
        "row": json.dumps(stored.row).encode(),
    }
    return Left(pieces, manifest, done.said)


def _plant_files(project: Path) -> None:
    for planted in KINDS.values():
        path = project / planted.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(planted.content)


def _plant_in_git(project: Path) -> None:
    user, password = _value("remote's user"), _value("remote")
    url = f"https://{user}:{password}@git.example/a/b.git"
    me = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (
        ("checkout", "-qb", f"fix/{_branch()}"),
        (*me, "commit", "-q", "--allow-empty", "-m", f"password is {_value('message')}"),
        ("remote", "add", "origin", url),
    ):
        subprocess.run(["git", *words], cwd=project, check=True, timeout=60)


def _plant_distribution(site: Path) -> Path:
    info = site / "planted-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
    (site / "planted.py").write_text("")
    (info / "RECORD").write_text("planted.py,,\n")
    secret = _value("direct_url")
    told = {
        "url": f"https://ada:{secret}@git.example/a/planted.git?token={secret}",
        "vcs_info": {"vcs": "git", "commit_id": hexadecimal("commit", 40)},
    }
    (info / "direct_url.json").write_text(json.dumps(told))
    return site


def _tree(capsule: Capsule, manifest: Manifest, folder: Path) -> Path:
    code = manifest.execution.code
    assert not hasattr(code, "unavailable"), code
    restore(capsule.bundle, code, folder / "restored")  # pyright: ignore[reportArgumentType]
    return folder / "restored"


def _contents(folder: Path, name: str) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            at = f"{name}: {path.relative_to(folder)}"
            yield at, content
            if path.suffix == ".whl":
                with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                    yield at, b"\n".join(wheel.read(member) for member in wheel.namelist())


@pytest.mark.parametrize("where", _planted())
def test_no_secret_leaves(left: Left, where: str) -> None:
    value = _planted()[where].encode()
    assert len(value) >= 12
    assert [at for at, content in left.pieces.items() if value in content] == []


def test_the_search_finds_what_did_leave(left: Left) -> None:
    assert [at for at, content in left.pieces.items() if b"A training of four numbers" in content]
    assert [at for at, content in left.pieces.items() if b"git.example/a/b.git" in content]
    assert {at.partition(":")[0] for at in left.pieces} == {
        *("run folder", "server", "source tree", "row")
    }


def test_every_file_with_a_secret_is_named_as_left_out(left: Left) -> None:
    code = left.manifest.execution.code
    named = {one.path for one in getattr(code, "left_out", ()) if "secret" in one.reason}
    assert {planted.file for planted in KINDS.values()} <= named


def test_it_is_said_at_once_that_files_were_left_out(left: Left) -> None:
    assert "not stored, looks like a secret" in left.said


def test_detect_secrets_finds_nothing_in_the_source_tree_that_left(
    left: Left, tmp_path: Path
) -> None:
    for at, content in left.pieces.items():
        name = at.removeprefix("source tree: ")
        if name != at:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
    tool = shutil.which("detect-secrets", path=str(Path(sys.executable).parent))
    assert tool is not None
    done = subprocess.run(
        [tool, "scan", "--all-files", "--no-verify", "."],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout)["results"] == {}
