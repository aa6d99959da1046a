"""Reading the records of all runs of a project on W&B, many at a time.

Of each run only the manifest and the trail are brought, and they are gone again when the caller
has looked at them: a project may hold more than this disk does.
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
    """One run of a project, as far as it could be read."""

    path: str
    """``ENTITY/PROJECT/ID``; of a run on this disk, its folder's name."""
    name: str
    """The name shown; empty where there is none."""
    state: str
    """As W&B tells it, such as ``finished``; empty on this disk."""
    capsule: Capsule | Unavailable
    """Its manifest and trail, as long as the caller looks at them."""
    recorded: bool
    """Whether it holds a record; one that holds none was not recorded by us."""
    verdict: str
    """A rerun's own verdict; empty of any other run."""
    attempts: Mapping[str, str]
    """What reruns wrote back on it, by their ids: ``identical, other CPU``."""


class Projected(NamedTuple):
    """A run that was read, and how many there are."""

    run: ProjectRun
    total: int


def read_project(path: str, scratch: Path, last: int, each: Callable[[Projected], None]) -> int:
    """Read the runs of a project, the newest first, and return how many it has.

    Args:
        path: ``ENTITY/PROJECT``, ``PROJECT``, or the address of the project's page.
        scratch: an empty folder.
        last: not more than so many.
        each: called with every run that was read, in the order they arrive; its capsule is gone
            afterwards.

    Raises:
        UsageError: the path is none, or its server is not the one wandb is set up for.
        NotFoundError: there is no such project.
        StoreError: nobody is logged in, or the server did not answer.
    """
    address = parse_project(path)

    def look(read: Projected) -> None:
        each(read)
        if isinstance(read.run.capsule, Capsule):
            shutil.rmtree(read.run.capsule.folder.parent, ignore_errors=True)

    # wandb's service may still write there for a moment after it was ended: hence the errors.
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
            progress=look,
        )


def _read(report: Callable[[Projected], None], address: RunAddress, folder: Path, last: int) -> int:
    with configured(folder) as (server, pages):
        check_server(address, server, pages)
        found = _listed(connect(server), address.path, server)
        with translated(server):
            total = len(found)
            runs = list(islice(found, last))

        def bring(place: int) -> None:
            report(Projected(_brought(runs[place], folder / str(place), server), len(runs)))

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done in [pool.submit(bring, place) for place in range(len(runs))]:
                done.result()
        return total


def _listed(api: Api, path: str, server: str) -> ApiRuns:
    """Return the project's runs with their summaries, in as few queries as can be.

    Raises:
        NotFoundError: there is no such project.
    """
    with translated(server):
        try:
            try:
                found = api.runs(path, order="-created_at", per_page=_PAGE, lazy=False)
            except TypeError:  # wandb before 0.22 knows no lazy runs
                found = api.runs(path, order="-created_at", per_page=_PAGE)
            len(found)
        except ValueError as error:
            if "could not find project" not in str(error).lower():
                raise
            raise NotFoundError(
                f"There is no project {path} at {server}.",
                hint="Check the name, and that your login (`wandb login`) can read it.",
            ) from error
    return found


def _brought(run: ApiRunToWrite, folder: Path, server: str) -> ProjectRun:
    """Bring the manifest and the trail of one run; whatever fails is about this run alone."""
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
    """Yield the runs in a folder that W&B writes to (``wandb``), the newest first.

    Raises:
        NotFoundError: there is none.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"There is no folder {folder}.", hint="Give the folder `wandb`, or ENTITY/PROJECT."
        )
    found = sorted(
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
    if not found:
        raise NotFoundError(
            f"No run of W&B is in {folder}.",
            hint="Give the folder `wandb` that your script wrote to, or ENTITY/PROJECT.",
        )
    for path in found:
        capsule = Capsule(path.resolve() / "files" / FOLDER)
        recorded = capsule.manifest.is_file()
        why = Unavailable(unavailable="it was recorded without wandb_repro")
        yield Projected(
            ProjectRun(path.name, "", "", capsule if recorded else why, recorded, "", {}),
            len(found),
        )
