"""Reads a run's capsule from W&B."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.store.address import RunAddress, parse_address, same_server
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.download import download_capsule, size_limit
from wandb_repro.store.subprocess import run_apart
from wandb_repro.store.wandb_api import ApiRun, configured, connect, find_run, translated


@dataclass(frozen=True)
class RemoteRun:
    """A run on W&B whose capsule was downloaded."""

    entity: str
    project: str
    id: str
    name: str | Unavailable
    url: str
    """URL of its page."""
    state: str
    """As W&B reports it: ``finished``, ``running``, ``crashed``, ``failed``, ``killed``, ..."""
    user: str | Unavailable
    """Who recorded it, as W&B reports it."""
    capsule: Capsule
    missing: tuple[str, ...]
    """Parts that are missing on W&B: those that its manifest names, and the trail."""

    @property
    def path(self) -> str:
        """``ENTITY/PROJECT/ID``."""
        return f"{self.entity}/{self.project}/{self.id}"


def fetch_capsule(path: str, destination: Path, *, code: bool = True) -> RemoteRun:
    """Download a run's capsule from W&B into a folder.

    Nothing is executed, nothing else of the run is read. It takes a few seconds; a silent server
    is given up after a minute and a half.

    Args:
        path: ``entity/project/id``, ``project/id``, or the URL of the run's page.
        destination: created if missing; gets ``manifest.json``, ``code.bundle``,
            ``trail.jsonl`` and ``wheels/``.
        code: whether to download the source tree and the wheels; to inspect a run, the manifest
            and the trail are enough.

    Raises:
        UsageError: the path is invalid, or wandb is configured for a different server.
        NotFoundError: there is no such run, or it was recorded without wandb_repro.
        RefusedError: a part is too large or does not match the manifest.
        StoreError: nobody is logged in, or the server did not answer.
    """
    address = parse_address(path)
    destination.mkdir(parents=True, exist_ok=True)
    # wandb's service may still write there for a moment after it was stopped.
    with tempfile.TemporaryDirectory(
        prefix=".fetch-", dir=destination, ignore_cleanup_errors=True
    ) as scratch:
        return run_apart(
            _fetch,
            address,
            destination,
            Path(scratch),
            code,
            scratch=Path(scratch),
            limit=size_limit,
        )


def _fetch(address: RunAddress, destination: Path, scratch: Path, code: bool) -> RemoteRun:
    with configured(scratch) as (server, pages):
        check_server(address, server, pages)
        run = find_run(connect(server), address.path, server)
        capsule = Capsule(destination)
        with translated(server):
            missing = download_capsule(run, scratch, capsule, code=code)
        return _remote_run(run, capsule, tuple(missing))


def check_server(address: RunAddress, server: str, pages: str) -> None:
    """Check that a page is on the server that wandb is configured for.

    Raises:
        UsageError: it is on a different server.
    """
    if address.server and not any(same_server(address.server, own) for own in (server, pages)):
        raise UsageError(
            f"Its page is on {address.server}, but wandb is configured for {server}.",
            hint="Set WANDB_BASE_URL to that server, or run `wandb login --host` with it.",
        )


def _remote_run(run: ApiRun, capsule: Capsule, missing: tuple[str, ...]) -> RemoteRun:
    user: Any = getattr(run, "user", None)
    username = getattr(user, "username", None)
    return RemoteRun(
        entity=run.entity,
        project=run.project,
        id=run.id,
        name=run.name or Unavailable(unavailable="the run has no name"),
        url=run.url,
        state=run.state,
        user=str(username) if username else Unavailable(unavailable="W&B does not report it"),
        capsule=capsule,
        missing=missing,
    )
