"""What of a run leaves the machine, for the person whose machine it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import RenderableType

from wandb_repro.manifest.code import LeftOut
from wandb_repro.report.layout import blank, bullets, heading, page, rows
from wandb_repro.report.record_files import left_out_rows
from wandb_repro.report.text import count, size

__all__ = ["Uploads", "uploads_data", "uploads_text"]

_NAMED = 30


@dataclass(frozen=True)
class Uploads:
    """What leaves, and what does not."""

    offline: bool
    """Whether nothing has left yet: it will when the run is synced."""
    ours: Mapping[str, int]
    """Files of the record by name, in bytes."""
    source: str
    """The source tree, in words."""
    left_out: tuple[LeftOut, ...]
    """What of the tree stays here."""
    fields: Mapping[str, tuple[str, ...]]
    """Of the manifest, the known ones, by its parts."""
    environment: tuple[str, ...]
    """Names of the environment variables whose values are recorded."""
    theirs: Mapping[str, int]
    """W&B's own files by name, in bytes."""
    warnings: tuple[tuple[str, str], ...]
    """What looks like a credential and leaves all the same, and what to do."""


def uploads_text(name: str, found: Uploads) -> RenderableType:
    """Return all that leaves the machine, what needs a look first."""
    when = "is here and leaves when it is synced" if found.offline else "leaves this machine"
    return page(
        heading(name, f"what of it {when}"),
        *_warnings(found),
        blank(),
        heading("The record", "repro/ among the run's files"),
        rows((size(of_bytes), path) for path, of_bytes in found.ours.items()),
        rows([("source", found.source), *left_out_rows(found.left_out)]),
        blank(),
        heading("In manifest.json"),
        rows((part, ", ".join(names)) for part, names in found.fields.items()),
        rows([("variables", ", ".join(found.environment) or "none")]),
        blank(),
        heading("On the run's page"),
        rows([("config", "repro: about a dozen values"), ("summary", "repro/...: a few texts")]),
        blank(),
        heading("W&B's own"),
        rows(_theirs(found)),
    )


def _warnings(found: Uploads) -> list[RenderableType]:
    if not found.warnings:
        return []
    listed = bullets(("-", sentence, cure) for sentence, cure in found.warnings)
    return [blank(), heading("Look at this first", style="yellow"), listed]


def _theirs(found: Uploads) -> list[tuple[str, str]]:
    named = list(found.theirs.items())
    told = [(size(of_bytes), path) for path, of_bytes in named[:_NAMED]]
    if len(named) > _NAMED:
        told.append(("", f"and {count(len(named) - _NAMED, 'file')} more"))
    always = "command line, host and user name, folders, GPU, what the script prints and logs"
    return [*told, ("always", always)]


def uploads_data(found: Uploads) -> dict[str, Any]:
    """Return the same as data."""
    told = asdict(found)
    told["left_out"] = [one.model_dump(mode="json") for one in found.left_out]
    told["warnings"] = [{"sentence": what, "cure": cure} for what, cure in found.warnings]
    return told
