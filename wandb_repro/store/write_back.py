"""Writes on an original run that it was rerun, by W&B's public API. Only when somebody asks for it.

W&B writes a summary whole, so that of two who write at once the later takes the earlier's away.
Each rerun has an entry of its own name, and looks whether it still stands; if not, it writes again.

Puts a newer card in the place of a run's old one, by W&B's public API. Only when asked.
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
"""What an entry of one rerun begins with; its id follows."""

LINE = "repro/reproduced"

_SUMMARY = "wandb-summary.json"
_TRIES = 6
_SETTLED_S = 1.0
_BYTES = 1 << 24


def note_attempt(path: str, rerun: str, attempt: str, line: Callable[[list[str]], str]) -> str:
    """Write one rerun's outcome into the original's summary, and return the line over all.

    Args:
        path: the original, ``ENTITY/PROJECT/ID``.
        rerun: id of the rerun.
        attempt: what it says of itself.
        line: a function of a module that sums up all entries.

    Raises:
        ReproError: it could not be written; the sentence says why.
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
            # Somebody who read before we wrote writes us away a moment later.
            time.sleep(_SETTLED_S + random.random())  # noqa: S311
            with translated(server):
                standing = dict(find_run(connect(server), path, server).summary.items())
            if standing.get(f"{PREFIX}{rerun}") == attempt and standing.get(LINE) == summed:
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
            limit=size_limit,
        )


def _replace(path: str, page: Callable[[str], str], folder: Path) -> None:
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
    for file in files_of(run, [_SUMMARY]):
        if file.size <= MAX_BYTES:
            with closing(file.download(root=str(scratch), replace=True)):
                summary = loads((scratch / _SUMMARY).read_bytes())
            return summary if isinstance(summary, dict) else {}
    return {}
