"""Reads the records of all runs of a project on W&B, many at a time.

Only the manifest and the trail of each run are downloaded, and deleted once the caller has used
them: a project may be larger than this disk.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from wandb_repro.errors import NotFoundError, ReproError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.store.address import RunAddress, parse_project
from wandb_repro.store.capsule import FOLDER, MANIFEST, TRAIL, Capsule
from wandb_repro.store.download import Downloader, size_limit
from wandb_repro.store.fetch import check_server
from wandb_repro.store.subprocess import run_apart
from wandb_repro.store.wandb_api import Api, ApiRuns, ApiRunToWrite, configured, connect, translated
from wandb_repro.store.write_back import PREFIX

_AT_ONCE = 8
_PAGE = 100


@dataclass(frozen=True)
class ProjectRun:
    """A run of a project, as far as it could be read."""

    path: str
    """``ENTITY/PROJECT/ID``; for a run on this disk, its folder's name."""
    name: str
    """Display name; empty if there is none."""
    state: str
    """As W&B reports it, such as ``finished``; empty for a run on this disk."""
    capsule: Capsule | Unavailable
    """Its manifest and trail, deleted after the callback returns."""
    recorded: bool
    """Whether it has a record; other runs were not recorded by us."""
    verdict: str
    """A rerun's own verdict; empty for any other run."""
    attempts: Mapping[str, str]
    """Outcomes that reruns wrote back to it, by their ids: ``identical, other CPU``."""


class Projected(NamedTuple):
    """A run that was read, and how many will be read."""

    run: ProjectRun
    total: int


def read_project(path: str, scratch: Path, last: int, each: Callable[[Projected], None]) -> int:
    """Read the runs of a project, the newest first, and return how many it has.

    Args:
        path: ``ENTITY/PROJECT``, ``PROJECT``, or the URL of the project's page.
        scratch: an empty folder.
        last: maximum of runs to read.
        each: called with every run, in order of arrival; its capsule is deleted afterwards.

    Raises:
        UsageError: the path is invalid, or wandb is configured for a different server.
        NotFoundError: there is no such project.
        StoreError: nobody is logged in, or the server did not answer.
    """
    address = parse_project(path)

    def use(read: Projected) -> None:
        each(read)
        if isinstance(read.run.capsule, Capsule):
            shutil.rmtree(read.run.capsule.folder.parent, ignore_errors=True)

    # wandb's service may still write there for a moment after it was stopped.
    with tempfile.TemporaryDirectory(
        prefix=".fetch-", dir=scratch, ignore_cleanup_errors=True
    ) as folder:
        return run_apart(
            _read,
            address,
            Path(folder),
            last,
            scratch=Path(folder),
            limit=size_limit,
            progress=use,
        )


def _read(report: Callable[[Projected], None], address: RunAddress, folder: Path, last: int) -> int:
    with configured(folder) as (server, pages):
        check_server(address, server, pages)
        all_runs = _listed(connect(server), address.path, server)
        with translated(server):
            total = len(all_runs)
            runs = list(islice(all_runs, last))

        def download(position: int) -> None:
            report(Projected(_brought(runs[position], folder / str(position), server), len(runs)))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in [pool.submit(download, position) for position in range(len(runs))]:
                done.result()
        return total


def _listed(api: Api, path: str, server: str) -> ApiRuns:
    """Return the project's runs with their summaries, in as few queries as possible.

    Raises:
        NotFoundError: there is no such project.
    """
    with translated(server):
        try:
            try:
                runs = api.runs(path, order="-created_at", per_page=_PAGE, lazy=False)
            except TypeError:  # wandb before 0.22 has no lazy runs
                runs = api.runs(path, order="-created_at", per_page=_PAGE)
            len(runs)
        except ValueError as error:
            if "could not find project" not in str(error).lower():
                raise
            raise NotFoundError(
                f"There is no project {path} at {server}.",
                hint="Check the name, and that your login (`wandb login`) can read it.",
            ) from error
    return runs


def _brought(run: ApiRunToWrite, folder: Path, server: str) -> ProjectRun:
    """Download the manifest and the trail of one run; an error affects this run alone."""
    capsule: Capsule | Unavailable
    recorded, summary = True, dict[str, object]()
    try:
        with translated(server):
            summary = dict(run.summary.items())
            missing = _fetch(run, folder)
        recorded = MANIFEST not in missing
        capsule = (
            Capsule(folder / FOLDER)
            if recorded
            else Unavailable(unavailable="it was recorded without wandb_repro")
        )
    except (ReproError, OSError) as error:
        capsule = Unavailable(unavailable=str(error).rstrip("."))
    return ProjectRun(
        path=f"{run.entity}/{run.project}/{run.id}",
        name=run.name or "",
        state=run.state,
        capsule=capsule,
        recorded=recorded,
        verdict=_text(summary.get("repro/verdict")),
        attempts={
            name.removeprefix(PREFIX): _text(value)
            for name, value in summary.items()
            if name.startswith(PREFIX)
        },
    )


def _fetch(run: ApiRunToWrite, folder: Path) -> list[str]:
    target = folder / FOLDER
    target.mkdir(parents=True)
    return Downloader(run, folder / "scratch", target).fetch([MANIFEST, TRAIL])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def local_runs(folder: Path) -> Iterator[Projected]:
    """Yield the runs in W&B's folder (``wandb``), newest first.

    Raises:
        NotFoundError: there is no such folder, or no run in it.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"There is no folder {folder}.", hint="Give the folder `wandb`, or ENTITY/PROJECT."
        )
    folders = sorted(
        (
            path
            for path in folder.iterdir()
            if path.name.startswith(("run-", "offline-run-"))
            and path.is_dir()
            and not path.is_symlink()
        ),
        key=lambda path: path.name.removeprefix("offline-"),
        reverse=True,
    )
    if not folders:
        raise NotFoundError(
            f"No run of W&B is in {folder}.",
            hint="Give the folder `wandb` that your script wrote to, or ENTITY/PROJECT.",
        )
    for path in folders:
        capsule = Capsule(path.resolve() / "files" / FOLDER)
        recorded = capsule.manifest.is_file()
        why = Unavailable(unavailable="it was recorded without wandb_repro")
        yield Projected(
            ProjectRun(path.name, "", "", capsule if recorded else why, recorded, "", {}),
            len(folders),
        )
