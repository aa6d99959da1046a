"""Writes the outcome of a rerun, or a new card, to the original run, only if requested.

W&B writes a summary as a whole: if two processes write at once, the later one deletes the other's
entry. Each rerun writes its own entry, checks that it is still there, and if not, writes it again.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from wandb_repro.errors import RefusedError, StoreError
from wandb_repro.manifest.canonical import JSON, MAX_BYTES, loads
from wandb_repro.store.capsule import CHANGES, FOLDER, REPORT, SHOWN
from wandb_repro.store.download import Downloader, files_of, size_limit
from wandb_repro.store.subprocess import run_apart
from wandb_repro.store.wandb_api import (
    ApiRun,
    ApiRunToWrite,
    configured,
    connect,
    find_run,
    translated,
)

PREFIX = "repro/rerun/"
"""Prefix of a rerun's entry; the rerun's id follows."""

LINE = "repro/reproduced"

_SUMMARY = "wandb-summary.json"
_TRIES = 6
_SETTLED_S = 1.0
_BYTES = 1 << 24


def note_attempt(path: str, rerun: str, attempt: str, line: Callable[[list[str]], str]) -> str:
    """Write one rerun's outcome to the original's summary, and return the line about all reruns.

    Args:
        path: the original, ``ENTITY/PROJECT/ID``.
        rerun: id of the rerun.
        attempt: its outcome.
        line: a module's function that summarises all entries.

    Raises:
        ReproError: it could not be written; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="wandb-repro-", ignore_cleanup_errors=True) as folder:
        return run_apart(
            _note,
            path,
            rerun,
            attempt,
            line,
            folder,
            scratch=Path(folder),
            limit=lambda _: _BYTES,
        )


def _note(
    path: str, rerun: str, attempt: str, line: Callable[[list[str]], str], folder: str
) -> str:
    with configured(Path(folder)) as (server, _):
        for _ in range(_TRIES):
            run = find_run(connect(server), path, server)
            _check_ended(run)
            with translated(server):
                summed = _written(run, {f"{PREFIX}{rerun}": attempt}, line)
            # A process that read before we wrote deletes our entry a moment later.
            time.sleep(_SETTLED_S + random.random())  # noqa: S311
            with translated(server):
                current = dict(find_run(connect(server), path, server).summary.items())
            if current.get(f"{PREFIX}{rerun}") == attempt and current.get(LINE) == summed:
                return summed
    raise StoreError("Somebody else is writing to the original's summary.", hint="Try again later.")


def _check_ended(run: ApiRun) -> None:
    if run.state == "running":
        raise RefusedError(
            "The original is still running: writing to its summary now may overwrite its metrics.",
            hint="Write back after it has ended.",
        )


def _written(run: ApiRunToWrite, own: Mapping[str, str], line: Callable[[list[str]], str]) -> str:
    entries = {name: value for name, value in run.summary.items() if name.startswith(PREFIX)}
    summed = line([str(value) for value in {**entries, **own}.values()])
    run.summary.update({**own, LINE: summed})
    return summed


def replace_card(path: str, page: Callable[[str], str]) -> None:
    """Replace a run's card among its files.

    Args:
        path: the run, ``ENTITY/PROJECT/ID``.
        page: a picklable function that takes the diff of uncommitted changes and returns the page.

    Raises:
        ReproError: it could not be replaced; the message says why.
    """
    with tempfile.TemporaryDirectory(prefix="wandb-repro-", ignore_cleanup_errors=True) as name:
        run_apart(
            _replace,
            path,
            page,
            Path(name),
            scratch=Path(name),
            limit=size_limit,
        )


def _replace(path: str, page: Callable[[str], str], folder: Path) -> None:
    with configured(folder) as (server, _):
        run = find_run(connect(server), path, server)
        (folder / FOLDER).mkdir()
        with translated(server):
            missing = Downloader(run, folder / "scratch", folder / FOLDER).fetch([CHANGES])
            changes = "" if missing else (folder / FOLDER / CHANGES).read_text(errors="replace")
            report = folder / FOLDER / REPORT
            report.write_text(page(changes), encoding="utf-8")
            run.upload_file(str(report), root=str(folder))
            if shown := _place_shown(run, folder / "scratch"):
                panel = folder / shown
                panel.parent.mkdir(parents=True)
                panel.write_bytes(report.read_bytes())
                run.upload_file(str(panel), root=str(folder))


def _place_shown(run: ApiRun, scratch: Path) -> str:
    """Return the file of the run that a media panel shows as the card; empty if there is none.

    It is overwritten, so that the summary, which holds its name, need not change.

    Source: W&B's entry of an ``Html``: ``{"_type": "html-file", "path": "media/html/…"}``.
    """
    entry = _summary_file(run, scratch).get(SHOWN)
    shown = entry.get("path") if isinstance(entry, dict) else None
    path = PurePosixPath(shown if isinstance(shown, str) else "")
    fits = path.parts[:2] == ("media", "html") and path.suffix == ".html" and ".." not in path.parts
    return str(path) if fits else ""


def _summary_file(run: ApiRun, scratch: Path) -> dict[str, JSON]:
    """Return the summary's file, which also holds entries that a server omits in its answers."""
    for file in files_of(run, [_SUMMARY]):
        if file.size <= MAX_BYTES:
            with closing(file.download(root=str(scratch), replace=True)):
                summary = loads((scratch / _SUMMARY).read_bytes())
            return summary if isinstance(summary, dict) else {}
    return {}
