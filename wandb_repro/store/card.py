"""Puts a newer card in the place of a run's old one, by W&B's public API. Only when asked."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path, PurePosixPath

from wandb_repro.manifest.canonical import JSON, MAX_BYTES, loads
from wandb_repro.store.apart import run_apart
from wandb_repro.store.api import ApiRun
from wandb_repro.store.base import CHANGES, FOLDER, REPORT, SHOWN
from wandb_repro.store.client import configured, connect, find_run, translated
from wandb_repro.store.download import Downloader, size_limit
from wandb_repro.store.run import STALL_S

__all__ = ["replace_card"]


def replace_card(path: str, page: Callable[[str], str]) -> None:
    """Upload a run's card anew, where it lies among the run's files.

    Args:
        path: the run, ``ENTITY/PROJECT/ID``.
        page: a function that can be pickled: given what was not committed, as a diff, it returns
            the page.

    Raises:
        ReproError: it could not be; the sentence says why.
    """
    with tempfile.TemporaryDirectory(prefix="wandb-repro-", ignore_cleanup_errors=True) as name:
        run_apart(
            _replace,
            path,
            page,
            Path(name),
            scratch=Path(name),
            limit=lambda name: size_limit(PurePosixPath(name).name),
            stall_s=STALL_S,
        )


def _replace(path: str, page: Callable[[str], str], folder: Path) -> None:
    os.environ.pop("WANDB_SERVICE", None)
    with configured(folder) as (server, _):
        run = find_run(connect(server), path, server)
        (folder / FOLDER).mkdir()
        with translated(server):
            missing = Downloader(run, folder / "scratch", folder / FOLDER).fetch([CHANGES])
            read = "" if missing else (folder / FOLDER / CHANGES).read_text(errors="replace")
            report = folder / FOLDER / REPORT
            report.write_text(page(read), encoding="utf-8")
            run.upload_file(str(report), root=str(folder))
            if shown := _place_shown(run, folder / "scratch"):
                panel = folder / shown
                panel.parent.mkdir(parents=True)
                panel.write_bytes(report.read_bytes())
                run.upload_file(str(panel), root=str(folder))


def _place_shown(run: ApiRun, scratch: Path) -> str:
    """Return which file of the run a media panel shows as the card; empty where there is none.

    It is written over, not put beside the old one: the summary, where its name stands, is left to
    its writers.

    Source: W&B's entry of an ``Html``: ``{"_type": "html-file", "path": "media/html/…"}``.
    """
    entry = _summary_file(run, scratch).get(SHOWN)
    place = entry.get("path") if isinstance(entry, dict) else None
    path = PurePosixPath(place if isinstance(place, str) else "")
    fits = path.parts[:2] == ("media", "html") and path.suffix == ".html" and ".." not in path.parts
    return str(path) if fits else ""


def _summary_file(run: ApiRun, scratch: Path) -> dict[str, JSON]:
    """Return the summary as a file, which also holds what a server leaves out of its answers."""
    for file in itertools.islice(run.files(names=[_SUMMARY], per_page=1), _MOST):
        # NOTE: for a file that is not there W&B may answer with an entry of md5 "0".
        if file.name == _SUMMARY and file.md5 != "0" and file.size <= MAX_BYTES:
            with closing(file.download(root=str(scratch), replace=True)):
                told = loads((scratch / _SUMMARY).read_bytes())
            return told if isinstance(told, dict) else {}
    return {}


_SUMMARY = "wandb-summary.json"
_MOST = 100
"""Of the answers that a server gives to one question."""
