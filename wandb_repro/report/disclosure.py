"""What a run uploads, as text and data: what ``show --uploads`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import RenderableType

from wandb_repro.manifest.code import LeftOut
from wandb_repro.report.layout import blank, heading, listing, page, rows
from wandb_repro.report.record_files import left_out_rows
from wandb_repro.report.text import size

_NAMED = 30


@dataclass(frozen=True)
class Uploads:
    """What a run uploads, and what it does not."""

    offline: bool
    """Whether nothing is uploaded until the run is synced."""
    ours: Mapping[str, int]
    """Sizes in bytes of the capsule's files, by name."""
    source: str
    """The source tree, in words."""
    left_out: tuple[LeftOut, ...]
    """Files of the tree that are not uploaded."""
    fields: Mapping[str, tuple[str, ...]]
    """Recorded fields of the manifest, by part."""
    environment: tuple[str, ...]
    """Names of the environment variables whose values are recorded."""
    theirs: Mapping[str, int]
    """Sizes in bytes of W&B's own files, by name."""
    warnings: tuple[tuple[str, str], ...]
    """Possible credentials that are uploaded, and what to do about each."""


def uploads_text(name: str, found: Uploads) -> RenderableType:
    """Return everything that is uploaded, warnings first."""
    when = "will be uploaded when it is synced" if found.offline else "is uploaded"
    warnings = (("-", sentence, cure) for sentence, cure in found.warnings)
    return page(
        heading(name, f"what {when}"),
        *listing("Check these first", warnings, style="yellow"),
        blank(),
        heading("Capsule", "folder repro/ in the run's files"),
        rows((size(of_bytes), path) for path, of_bytes in found.ours.items()),
        rows([("source", found.source), *left_out_rows(found.left_out), *_cure(found)]),
        blank(),
        heading("In manifest.json"),
        rows((part, ", ".join(names)) for part, names in found.fields.items()),
        rows([("variables", ", ".join(found.environment) or "none")]),
        blank(),
        heading("On the run's page"),
        rows([("config", "repro: about a dozen values"), ("summary", "repro/...: a few strings")]),
        blank(),
        heading("Uploaded by W&B itself"),
        rows(_theirs(found)),
    )


def _cure(found: Uploads) -> list[tuple[str, str]]:
    """Return a row with the setting that stores what was left out for a secret."""
    if not any("secret" in left.reason for left in found.left_out):
        return []
    return [("", "to store a file that is none: not_secret in [tool.wandb_repro]")]


def _theirs(found: Uploads) -> list[tuple[str, str]]:
    files = list(found.theirs.items())
    listed = [(size(of_bytes), path) for path, of_bytes in files[:_NAMED]]
    if len(files) > _NAMED:
        listed.append(("", f"and {len(files) - _NAMED} more files"))
    always = "command line, host and user name, folders, GPU, output, logged values"
    return [*listed, ("always", always)]


def uploads_data(found: Uploads) -> dict[str, Any]:
    """Return the content of ``uploads_text`` as data."""
    data = asdict(found)
    data["left_out"] = [file.model_dump(mode="json") for file in found.left_out]
    data["warnings"] = [{"sentence": what, "cure": cure} for what, cure in found.warnings]
    return data
