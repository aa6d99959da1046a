"""The part of ``wandb.Api`` that is used here, with types. wandb 0.19 to 0.31 have it alike.

Talking to W&B: set up to be quick and quiet, logged in, its errors turned into ours.
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
    """The name on W&B, with ``/`` in it."""
    size: int
    """Bytes, as the server tells."""
    md5: str | None
    """Base64; ``"0"`` for a file that is not there."""

    def download(self, *, root: str, replace: bool) -> TextIO:
        """Write it to ``root`` / its name, return it open."""
        ...


class ApiSummary(Protocol):
    """A run's summary (``wandb.apis.public.summary.HTTPSummary``)."""

    def items(self) -> Iterable[tuple[str, object]]:
        """Return names and values."""
        ...

    def update(self, key_vals: dict[str, str], /) -> object:
        """Set these, and write the whole summary."""
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
    """The name shown."""
    state: str
    """Such as ``finished``."""
    url: str
    """The address of its page."""

    def files(self, *, names: list[str], per_page: int) -> Iterable[ApiFile]:
        """Return those of the named files that the server has."""
        ...


class ApiRunToWrite(ApiRun, Protocol):
    """A run with what is noted on it."""

    summary: ApiSummary
    """Its summary, as it was when it was read."""

    def upload_file(self, path: str, root: str) -> object:
        """Put a file among the run's, by its name below ``root``."""
        ...


class ApiRuns(Protocol):
    """The runs of a project (``wandb.apis.public.Runs``), read page by page."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __iter__(self) -> Iterator[ApiRunToWrite]:
        """Go through them."""
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
"""For one query. ``wandb.Api`` takes it; its default of 0.31 is 19 s."""

_BOUNDS = {
    # NOTE: wandb 0.31 retries a query 20 times by default, so that a refused connection looks
    # like a server that is slow; the timeout then hides the cause.
    "WANDB__GRAPHQL_RETRY_MAX": "1",
    "WANDB__FILE_TRANSFER_RETRY_MAX": "3",
    "WANDB_SILENT": "true",
}


@contextlib.contextmanager
def configured(scratch: Path) -> Generator[tuple[str, str], None, None]:
    """Make wandb quiet and impatient; give its server and the address of its pages.

    NOTE: these are settings of the whole process and stay: use it in a process of its own.

    Args:
        scratch: a folder for what wandb writes by the way.
    """
    import wandb

    # NOTE: wandb.init leaves this behind; with it we would talk to the service of a training.
    os.environ.pop("WANDB_SERVICE", None)
    os.environ.update(_BOUNDS)
    settings = wandb.setup().settings
    # NOTE: wandb.Api makes a folder for each run it reads, in WANDB_DIR or in /tmp. Set only
    # now: WANDB_DIR also says where wandb looks for its settings.
    os.environ["WANDB_DIR"] = str(scratch)
    # NOTE: ``app_url`` came between wandb 0.19 and 0.31; before, the pages' host is the server's.
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
    """Raise OSError where nobody listens: wandb 0.19 takes 40 s to say so, 0.31 five."""
    parts = urlsplit(server)
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    if parts.hostname and not _behind_proxy(parts.scheme):
        socket.create_connection((parts.hostname, port), timeout=QUERY_TIMEOUT_S).close()


def _behind_proxy(scheme: str) -> bool:
    """Tell whether a proxy may be set: by the system, or in one of wandb's own ways."""
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
        NotFoundError: it is not there, or not for who is logged in.
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
    """Turn what wandb raises into ours.

    NOTE: wandb raises what its transport raised wherever it does not wrap it (reading the list
    of files does not), and that changes with its version: so any exception is translated.
    """
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
