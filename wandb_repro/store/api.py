"""The part of ``wandb.Api`` that is used here, with types. wandb 0.19 to 0.31 have it alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TextIO

__all__ = ["Api", "ApiFile", "ApiRun", "ApiRunToWrite", "ApiRuns", "ApiSummary"]


class ApiFile(Protocol):
    """A file of a run (``wandb.apis.public.File``)."""

    @property
    def name(self) -> str:
        """The name on W&B, with ``/`` in it."""
        ...

    @property
    def size(self) -> int:
        """Bytes, as the server tells."""
        ...

    @property
    def md5(self) -> str | None:
        """Base64; ``"0"`` for a file that is not there."""
        ...

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

    @property
    def entity(self) -> str:
        """Who owns the project."""
        ...

    @property
    def project(self) -> str:
        """The project."""
        ...

    @property
    def id(self) -> str:
        """The run's id."""
        ...

    @property
    def name(self) -> str | None:
        """The name shown."""
        ...

    @property
    def state(self) -> str:
        """Such as ``finished``."""
        ...

    @property
    def url(self) -> str:
        """The address of its page."""
        ...

    def files(self, *, names: list[str], per_page: int) -> Iterable[ApiFile]:
        """Return those of the named files that the server tells of."""
        ...


class ApiRunToWrite(ApiRun, Protocol):
    """A run with what is noted on it."""

    @property
    def summary(self) -> ApiSummary:
        """Its summary, as it was when it was read."""
        ...

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
