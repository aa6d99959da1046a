"""Puts a newer card in the place of a run's old one, by W&B's public API. Only when asked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from wandb_repro.store.apart import run_apart
from wandb_repro.store.base import CHANGES, FOLDER, REPORT
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
