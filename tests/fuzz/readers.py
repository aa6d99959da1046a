"""Everything that reads what a stranger wrote, each as a function of bytes.

Each may raise an error of ours and nothing else, and writes nothing outside ``scratch``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.choices import Choices, mutated
from tests.support.bundles import bundle_of
from tests.support.records import full_manifest, lines_of, trail
from tests.support.terminal import on_paper
from tests.support.wheels import recorded_wheel, wheel_bytes
from wandb_repro.capture.packages.distributions import read_distributions
from wandb_repro.capture.packages.record import record_digest_of, record_paths
from wandb_repro.capture.secrets.redact import redact_arguments, redact_text, redact_url
from wandb_repro.errors import ReproError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.command import Cell, Cells, CellsFile
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_file import parse
from wandb_repro.report.card import card
from wandb_repro.report.differences import differences_text
from wandb_repro.report.disclosure import uploads_text
from wandb_repro.report.plan import plan_text
from wandb_repro.report.prediction import prediction_text
from wandb_repro.report.show import record_text
from wandb_repro.report.verdict import verdict_text
from wandb_repro.rerun.cells import plan_cells
from wandb_repro.rerun.child_environment import variables_set
from wandb_repro.rerun.environment.dependencies import needed_by_run
from wandb_repro.rerun.environment.lock import parse_pylock
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.environment.wheel_check import wheel_of_capsule
from wandb_repro.rerun.found_inputs import find_inputs
from wandb_repro.rerun.git_tree import Budget
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.plan import make_plan
from wandb_repro.rerun.restore import restore
from wandb_repro.store.address import parse_address, same_server
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells
from wandb_repro.store.checkpoint_file import Piece, read_checkpoint, write_checkpoint
from wandb_repro.store.download import download_capsule
from wandb_repro.store.local import check_intact
from wandb_repro.verify.audit import audit
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.verdict import judge
from wandb_repro.workflows.check import Aim, predict_here
from wandb_repro.workflows.disclosure import uploads_of

__all__ = ["READERS", "SEEDS", "SLOW"]

Reader = Callable[[bytes], None]

_WHOLE = full_manifest()
_DOCUMENT: Any = json.loads(_WHOLE.to_bytes())
_TRAIL = trail()
_BODIES: list[Any] = [json.loads(line) for line in lines_of(_TRAIL.records)]


@contextmanager
def scratch() -> Generator[Path]:
    """Give a folder in memory, where the system has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def manifest_of_any_bytes(data: bytes) -> None:
    """Read bytes as a manifest."""
    Manifest.from_bytes(data)


def manifest_of_any_json(data: bytes) -> None:
    """Read any JSON, sealed as anybody can seal it."""
    value = canonical.loads(data)
    if isinstance(value, dict):
        _looked_at(_sealed({**_DOCUMENT, **value}), Choices(data))


def manifest_changed(data: bytes) -> None:
    """Change a valid manifest, seal it, and look at it in every way that runs nothing."""
    choices = Choices(data)
    _looked_at(_sealed(mutated(_DOCUMENT, choices)), choices)


def _sealed(body: Any) -> bytes:
    body = {name: value for name, value in body.items() if name != "digest"}
    try:
        return canonical.dumps({**body, "digest": "sha256:" + canonical.sha256(body)})
    except ValueError:  # too deep to be written: nobody can send it
        return b"{}"


def _looked_at(document: bytes, choices: Choices) -> None:
    choices.one_of(_VIEWS)(Manifest.from_bytes(document))


def _show(manifest: Manifest) -> None:
    _shown(record_text(manifest.run.id, manifest, _TRAIL, audit(manifest, _TRAIL)))


def _diff(manifest: Manifest) -> None:
    _shown(differences_text("a", "b", differences(_WHOLE, manifest)))


def _verify(manifest: Manifest) -> None:
    _shown(verdict_text(judge(_WHOLE, _TRAIL, manifest, _TRAIL)))


def _plan(manifest: Manifest) -> None:
    found = find_inputs(manifest, parts_of(manifest).code, {})
    plan = make_plan(manifest, Path("/new/folder"), found, allow_missing=True, ask_values=False)
    name, choice = manifest.run.id, Choice(None, "a new one")
    _shown(
        plan_text(name, plan, choice, recorded_by=name, sets=variables_set(plan, {}, rebuilt=True))
    )
    assert plan.code.is_relative_to(plan.work)


def _card(manifest: Manifest) -> None:
    page = card(manifest.run.id, manifest, _TRAIL, audit(manifest, _TRAIL))
    assert "<script" not in page.lower()


def _needed(manifest: Manifest) -> None:
    packages = manifest.execution.packages
    if isinstance(packages, Packages):
        needed_by_run(packages)


def _uploads(manifest: Manifest) -> None:
    with scratch() as folder:
        check_intact(Capsule(folder), manifest)
        _shown(uploads_text("a", uploads_of(Capsule(folder), manifest, remote=True)))


def _check(manifest: Manifest) -> None:
    with scratch() as folder:
        (folder / "manifest.json").write_bytes(manifest.to_bytes())
        foreseen = predict_here(Capsule(folder), Aim(by_hand=True), folder / "work")
        _shown(prediction_text(foreseen))
        assert [path.name for path in folder.iterdir()] == ["manifest.json"]


def _shown(text: Any) -> None:
    printed = on_paper(text)
    assert not {letter for letter in printed if letter < " " and letter != "\n"}


_VIEWS = (_plan, _show, _diff, _verify, _card, _needed, _uploads, _check)


def trail_of_any_bytes(data: bytes) -> None:
    """Read bytes as a trail."""
    parse(data.splitlines(keepends=True))


def trail_changed(data: bytes) -> None:
    """Change the records of a valid trail, chain them anew, and judge by them."""
    bodies = mutated(_BODIES, Choices(data))
    lines: list[bytes] = []
    link = "0" * 64
    for body in bodies:
        try:
            line = canonical.dumps({**body, "prev": link} if isinstance(body, dict) else body)
        except ValueError:  # too deep to be written
            return
        link = hashlib.sha256(line).hexdigest()
        lines.append(line + b"\n")
    _judged(parse(lines))


def _judged(other: Trail) -> None:
    _shown(verdict_text(judge(_WHOLE, _TRAIL, _WHOLE, other)))
    _shown(record_text("a", _WHOLE, other, audit(_WHOLE, other)))


def address(data: bytes) -> None:
    """Read what a person may have been given to type."""
    text = data.decode("utf-8", "replace")
    try:
        found = parse_address(text)
    except ReproError:
        found = None
    if found is not None and found.server:
        same_server(found.server, "https://api.wandb.ai")
    redact_url(text)
    redact_text(text)
    redact_arguments(text.split("\0"))


def record(data: bytes) -> None:
    """Read bytes as RECORD."""
    text = data.decode("utf-8", "replace")
    record_digest_of(text)
    record_paths(text)


def installed_distribution(data: bytes) -> None:
    """Read a distribution that a stranger's wheel installed."""
    names = ("METADATA", "RECORD", "WHEEL", "INSTALLER", "direct_url.json", "entry_points.txt")
    with scratch() as folder:
        info = folder / "own-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Name: own\nVersion: 1.0\n")
        for name, part in zip(names, data.split(b"\xff"), strict=False):
            (info / name).write_bytes(part)
        read_distributions(folder)


def lock(data: bytes) -> None:
    """Read bytes as a lock."""
    parse_pylock(data.decode("utf-8", "replace"))


def wheel(data: bytes) -> None:
    """Read bytes as a wheel of a capsule, its digest as recorded."""
    choices = Choices(data)
    content = bytearray(_WHEEL)
    for _ in range(choices.number(9)):
        content[choices.number(len(content))] ^= 1 + choices.number(255)
    end = choices.number(3)
    whole = choices.left if end == 0 else bytes(content) + (choices.left if end == 1 else b"")
    with scratch() as folder:
        (folder / _WHEEL_NAME).write_bytes(whole)
        wheel_of_capsule(*recorded_wheel(_WHEEL_NAME, whole), folder)


_WHEEL_NAME = "own-1.0-py3-none-any.whl"
_WHEEL = wheel_bytes("own", {"own.py": b"x = 1\n"})


def cells(data: bytes) -> None:
    """Read bytes as the cells of a notebook, their digest as recorded."""
    digest = hashlib.sha256(data).hexdigest()
    file = CellsFile(
        name="cells.json", sha256=digest, size_bytes=len(data), count=1, redacted=(), kept="run"
    )
    with scratch() as folder:
        (folder / "cells.json").write_bytes(data)
        plan_cells(read_cells(Capsule(folder), file), file, {}, ask=False)


def checkpoint(data: bytes) -> None:
    """Read a checkpoint that a trail names; its own digest is right."""
    choices = Choices(data)
    content = bytearray(_CHECKPOINT)
    for _ in range(choices.number(9)):
        content[choices.number(len(content))] = choices.number(256)
    content += choices.left[:200]
    with scratch() as folder:
        (folder / "one.ckpt").write_bytes(content + hashlib.sha256(content).digest())
        read_checkpoint(folder / "one.ckpt")


def _checkpoint() -> bytes:
    with scratch() as folder:
        pieces = [Piece("float32", (2,), memoryview(b"12345678"))]
        write_checkpoint(folder / "one.ckpt", {"epoch": 1}, pieces)
        return (folder / "one.ckpt").read_bytes()[: -hashlib.sha256().digest_size]


_CHECKPOINT = _checkpoint()


class _File:
    """A file as a hostile server tells of it."""

    def __init__(self, name: str, size: int, content: bytes) -> None:
        self.name, self.size, self.md5 = name, size, "x"
        self._content = content

    def download(self, *, root: str, replace: bool) -> Any:
        """Write it where wandb does: below the root, for the names that we asked for."""
        del replace
        path = Path(root, self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._content)
        return path.open(encoding="latin-1")


class _Run:
    """A run whose server answers as it likes."""

    entity, project, id, state = "team", "digits", "abc", "finished"
    name: str | None = "name"
    url = "https://wandb.example/team/digits/runs/abc"

    def __init__(self, choices: Choices) -> None:
        body = mutated(_DOCUMENT, choices) if choices.number(2) else _DOCUMENT
        manifest = _sealed(body) if choices.number(3) else choices.left
        names = ("repro/manifest.json", "repro/trail.jsonl", "../x", "/x", "repro/../x", "\0", "")
        self._files = [
            _File(names[0], choices.one_of((len(manifest), -1, 0, 2**70)), manifest),
            *(_File(choices.one_of(names), choices.number(9), b"x") for _ in range(4)),
        ]

    def files(self, *, names: list[str], per_page: int) -> Any:
        """Return more than was asked for."""
        del names, per_page
        return self._files


def download(data: bytes) -> None:
    """Download a capsule from a server that does not mean well."""
    with scratch() as folder:
        inside, capsule = folder / "scratch", folder / "capsule"
        inside.mkdir()
        try:
            download_capsule(_Run(Choices(data)), inside, Capsule(capsule), code=True)
        finally:
            assert {path.name for path in folder.iterdir()} <= {"scratch", "capsule"}


class _Bundle:
    """One bundle, made once."""

    made: tuple[bytes, str] | None = None

    @classmethod
    def bytes_and_tree(cls) -> tuple[bytes, str]:
        """Return a small valid bundle and its tree."""
        if cls.made is None:
            with scratch() as folder:
                path, tree = bundle_of(folder / "made", {"train.py": "x = 1\n", "b": "y" * 200})
                cls.made = path.read_bytes(), tree
        return cls.made


def bundle(data: bytes) -> None:
    """Restore a bundle of which some bytes are others."""
    whole, tree = _Bundle.bytes_and_tree()
    choices = Choices(data)
    content = bytearray(whole)
    for _ in range(choices.number(6)):
        content[choices.number(len(content))] = choices.number(256)
    changed = bytes(content[: choices.number(len(content)) or None]) + choices.left[:500]
    with scratch() as folder:
        (folder / "code.bundle").write_bytes(changed)
        digest = hashlib.sha256(changed).hexdigest()
        file = BundleFile(name="code.bundle", sha256=digest, size_bytes=len(changed))
        none = Unavailable(unavailable="not asked")
        code = Code(root="/code", tree=tree, files=2, bundle=file, git=none)
        try:
            restore(folder / "code.bundle", code, folder / "new", budget=Budget(files=100))
        finally:
            shutil.rmtree(folder / "new", ignore_errors=True)
            assert [path.name for path in folder.iterdir()] == ["code.bundle"]


SLOW: dict[str, Reader] = {"bundle": bundle}
"""Those that start processes."""

READERS: dict[str, Reader] = {
    reader.__name__: reader
    for reader in (
        manifest_of_any_bytes,
        manifest_of_any_json,
        manifest_changed,
        trail_of_any_bytes,
        trail_changed,
        address,
        record,
        installed_distribution,
        lock,
        wheel,
        cells,
        checkpoint,
        download,
    )
}

SEEDS: dict[str, list[bytes]] = {
    "manifest_of_any_bytes": [_WHOLE.to_bytes()],
    "manifest_of_any_json": [canonical.dumps({"run": _DOCUMENT["run"]})],
    "trail_of_any_bytes": [b"".join(lines_of(_TRAIL.records))],
    "address": [
        b"ada/digits/a1b2c3d4",
        b"https://wandb.ai/ada/digits/runs/a1b2c3d4?nw=x",
        b"https://user:secret@host:8080/runs/a/b/c",
        b"--api-key\0secret\0{token: x}",
    ],
    "cells": [Cells(cells=(Cell(source="x = 1"), Cell(source="!ls"))).to_bytes()],
    "record": [b'own.py,sha256=abc,6\n"a,b.py",sha256=x,1\nown-1.0.dist-info/RECORD,,\n'],
    "installed_distribution": [
        b"Name: own\nVersion: 1.0\n\xffown.py,sha256=x,1\n\xffTag: py3-none-any\n\xffpip\xff"
        b'{"url": "https://u:p@h/x", "vcs_info": {"commit_id": "x"}}\xff[console_scripts]\na = b:c'
    ],
    "lock": [
        b'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "own"\nversion = "1.0"\n'
        b'wheels = [{name = "own-1.0-py3-none-any.whl", url = "https://h/own-1.0-py3-none-any.whl"'
        b', hashes = {sha256 = "00"}}]\n'
    ],
}
"""Valid input to begin with; what is not here begins with nothing."""
