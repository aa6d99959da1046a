"""The part of ``wandb.Api`` that is used here, with types: the same in wandb 0.19 to 0.31.

Connects to W&B with short timeouts and no output, and turns wandb's errors into ours.
"""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.request
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Protocol, TextIO, cast
from urllib.parse import urlsplit

from wandb_repro.errors import NotFoundError, ReproError, StoreError


class ApiFile(Protocol):
    """A file of a run (``wandb.apis.public.File``)."""

    name: str
    """The path on W&B, such as ``repro/manifest.json``."""
    size: int
    """Bytes, as the server reports."""
    md5: str | None
    """Base64; ``"0"`` for a missing file."""

    def download(self, *, root: str, replace: bool) -> TextIO:
        """Write it to ``root`` / its name, and return the open file."""
        ...


class ApiSummary(Protocol):
    """A run's summary (``wandb.apis.public.summary.HTTPSummary``)."""

    def items(self) -> Iterable[tuple[str, object]]:
        """Return names and values."""
        ...

    def update(self, key_vals: dict[str, str], /) -> object:
        """Set these values, and write the whole summary."""
        ...


class ApiRun(Protocol):
    """A run (``wandb.apis.public.Run``)."""

    entity: str
    """Who owns the project."""
    project: str
    """The project."""
    id: str
    """The run's id."""
    name: str | None
    """Display name."""
    state: str
    """Such as ``finished``."""
    url: str
    """URL of its page."""

    def files(self, *, names: list[str], per_page: int) -> Iterable[ApiFile]:
        """Return the named files that the server has."""
        ...


class ApiRunToWrite(ApiRun, Protocol):
    """A run with its summary, to which files can be added."""

    summary: ApiSummary
    """Its summary at the time of reading."""

    def upload_file(self, path: str, root: str) -> object:
        """Upload a file, named by its path below ``root``."""
        ...


class ApiRuns(Protocol):
    """The runs of a project (``wandb.apis.public.Runs``), read page by page."""

    def __len__(self) -> int:
        """Return the number of runs."""
        ...

    def __iter__(self) -> Iterator[ApiRunToWrite]:
        """Yield the runs."""
        ...


class Api(Protocol):
    """``wandb.Api``."""

    def runs(self, path: str, /, *, order: str, per_page: int, **options: bool) -> ApiRuns:
        """Return the runs of a project."""
        ...

    def run(self, path: str, /) -> ApiRunToWrite:
        """Return a run."""
        ...


QUERY_TIMEOUT_S = 20
"""Timeout of one query; the default of wandb 0.31 is 19 s."""

_BOUNDS = {
    # NOTE: wandb 0.31 retries a query 20 times by default, so a refused connection looks like a
    # slow server, and the timeout hides the cause.
    "WANDB__GRAPHQL_RETRY_MAX": "1",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "3",
    "WANDB_SILENT": "true",
}


@contextlib.contextmanager
def configured(scratch: Path) -> Generator[tuple[str, str], None, None]:
    """Make wandb silent and its retries few; yield the URLs of its server and of its pages.

    NOTE: the settings apply to the whole process and remain: call this in a separate process.

    Args:
        scratch: a folder for wandb's own files.
    """
    import wandb

    # NOTE: wandb.init sets this; with it we would connect to the service of a training.
    os.environ.pop("WANDB_SERVICE", None)
    os.environ.update(_BOUNDS)
    settings = wandb.setup().settings
    # NOTE: wandb.Api creates a folder for each run it reads, in WANDB_DIR or in /tmp. Set only now,
    # because wandb also looks for its settings there.
    os.environ["WANDB_DIR"] = str(scratch)
    # NOTE: ``app_url`` is newer than wandb 0.19; without it, the pages are on the server.
    pages = getattr(settings, "app_url", None) or settings.base_url
    try:
        yield str(settings.base_url), str(pages)
    finally:
        wandb.teardown()


def connect(server: str) -> Api:
    """Return an ``Api`` that is logged in.

    Raises:
        StoreError: nobody is logged in, or the server did not answer in time.
    """
    import wandb
    from wandb.errors import UsageError

    with translated(server):
        _reach(server)
        try:
            return cast("Api", wandb.Api(timeout=QUERY_TIMEOUT_S))
        except UsageError as error:
            raise StoreError(
                f"You are not logged in to W&B at {server}.",
                hint=f"Run `wandb login --host {server}`, or set WANDB_API_KEY.",
            ) from error


def _reach(server: str) -> None:
    """Raise OSError if nothing listens: wandb 0.19 takes 40 s to fail, 0.31 takes 5 s."""
    parts = urlsplit(server)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    if parts.hostname and not _behind_proxy(parts.scheme):
        socket.create_connection((parts.hostname, port), timeout=QUERY_TIMEOUT_S).close()


def _behind_proxy(scheme: str) -> bool:
    """Return whether a proxy may be set, in the system or for wandb."""
    import wandb

    settings = wandb.setup().settings
    return (
        not {scheme, "all"}.isdisjoint(urllib.request.getproxies())
        or "WANDB__PROXIES" in os.environ
        or any(getattr(settings, name, None) for name in ("http_proxy", "https_proxy"))
    )


def find_run(api: Api, path: str, server: str) -> ApiRunToWrite:
    """Return a run.

    Raises:
        NotFoundError: it does not exist, or the login cannot read it.
        StoreError: the server did not answer.
    """
    with translated(server):
        try:
            return api.run(path)
        except Exception as error:
            if "could not find run" not in str(error).lower():
                raise
            raise NotFoundError(
                f"There is no run {path} at {server}.",
                hint="Check the name, and that your login (`wandb login`) can read it; "
                "another server is set with WANDB_BASE_URL or `wandb login --host`.",
            ) from error


@contextlib.contextmanager
def translated(server: str) -> Generator[None, None, None]:
    """Turn any exception of wandb into a ``StoreError``."""
    # NOTE: wandb does not wrap all exceptions of its transport (such as when it lists files), and
    # that changes with its version, so any exception is caught.
    try:
        yield
    except ReproError:
        raise
    except Exception as error:
        cause = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise StoreError(
            f"W&B at {server} did not answer: {cause.rstrip('.')}.",
            hint="Check the network and the login (`wandb login`); another server is set with "
            "WANDB_BASE_URL or `wandb login --host`.",
        ) from error
