"""The manifest: one document with everything that a rerun needs. ``FORMAT.md`` specifies it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, cast

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.base import (
    EvolvedRecord,
    ExecutionRecord,
    Record,
    Unavailable,
    added_field,
    read_record,
)
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import Dataset, InputFile, InputFolder, Overlap
from wandb_repro.manifest.machine import Accelerator, Machine, Runtime
from wandb_repro.manifest.outputs import Outputs
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.training import Config, Determinism, FitSettings, Seeds

VERSION = "1.0"
"""``MAJOR.MINOR``. A reader reads any minor version of its major and refuses a newer major."""

_MAJOR = int(VERSION.split(".")[0])
_VERSION = re.compile(r"(?P<major>[1-9][0-9]{0,3})\.[0-9]{1,4}", re.ASCII)


_NOT_RECORDED = Unavailable(unavailable="the version that recorded this run did not record it")


class RunIdentity(EvolvedRecord, Record):
    """The W&B run that this manifest belongs to."""

    id: str
    name: str | Unavailable
    entity: str | Unavailable
    project: str | Unavailable
    url: str | Unavailable
    job_type: str | Unavailable
    group: str | Unavailable
    offline: bool
    rerun_of: str | Unavailable
    """The run that this one repeats: ``ENTITY/PROJECT/ID`` without the parts that are not known."""
    sweep: str = added_field("")
    """Id of the sweep that chose its parameters; empty if none did."""


class Execution(EvolvedRecord, ExecutionRecord):
    """What a rerun acts on. A reader must know every field."""

    command: Command | Unavailable
    code: Code | Unavailable
    packages: Packages | Unavailable
    seed: str | Unavailable
    """Decimal text; a rerun passes it to ``init``."""
    deterministic: bool | None
    """Value of ``deterministic=``."""
    config: Config
    """W&B's config when ``init`` returned, without our own entry. A rerun restores it: this is the
    only place with a sweep's parameters."""
    world_size: int = 1
    """Number of processes that trained together."""
    earlier_seeds: tuple[str | Unavailable, ...] = added_field(())
    """Seeds of the runs that the same process recorded before this one, in order. A rerun repeats
    those runs first: their state in memory may affect this one."""
    early_seed: str | None = added_field(None)
    """Decimal text: the seed that ``wandb-repro run`` set before the script began, until ``init``
    replaced it. The script may have drawn numbers with it."""


class Description(EvolvedRecord, Record):
    """What explains a run. Unknown fields are kept."""

    machine: Machine | Unavailable
    runtime: Runtime | Unavailable
    accelerator: Accelerator | Unavailable
    seeds: Seeds | Unavailable
    determinism: Determinism | Unavailable
    config: Config
    """W&B's config at the end of the run, without our own entry."""
    data: tuple[Dataset, ...] | Unavailable
    inputs: tuple[InputFile, ...] | Unavailable
    """Files outside the snapshot that the run read."""
    overlaps: tuple[Overlap, ...] | Unavailable = added_field(())
    """Pairs of datasets with rows in common; empty if there are none."""
    uncompared_data: tuple[str, ...] | Unavailable = added_field(())
    """Training and validation data whose rows were not compared, and why."""
    fits: tuple[FitSettings, ...] | Unavailable = added_field(_NOT_RECORDED)
    """What each ``fit`` trained and how, if it differs from the ``fit`` before."""
    outputs: Outputs | Unavailable = added_field(_NOT_RECORDED)
    """Files that the run saved, and artifacts that it logged."""
    every_fit: bool | Unavailable = added_field(False)
    """Whether each ``fit`` was recorded, not only those that were given our callback."""
    volatile: tuple[str, ...] | Unavailable = added_field(())
    """Names of logged values and files that the user expects to differ in every run."""
    folders: tuple[InputFolder, ...] | Unavailable = added_field(())
    """Folders outside the snapshot that the run read."""


class Ending(EvolvedRecord, Record):
    """How the run ended."""

    status: Literal["finished", "interrupted", "failed"]
    detail: str = ""
    """Type of the exception that ended it; empty if none did."""
    place: str = added_field("")
    """Line of the script's own code that raised it, ``train.py:9``, relative to the source tree;
    empty if unknown."""
    exit_code: int | None = added_field(None)
    """Exit code that ``sys.exit`` was given; None for other exceptions."""
    signal: str = added_field("")
    """Signal whose handler raised it, such as ``SIGTERM``; empty if none did."""

    def __str__(self) -> str:
        """Return the ending in words: ``TypeError at train.py:9``, ``finished``."""
        if not self.detail:
            return self.status
        by = f"exit code {self.exit_code}" if self.exit_code is not None else self.detail
        by += f" on {self.signal}" if self.signal else ""
        return f"{by} at {self.place}" if self.place else by


class Sealed(NamedTuple):
    """A manifest with its digest and its bytes."""

    manifest: Manifest
    digest: str
    """``sha256:HEX`` over the canonical form of everything in it."""
    document: bytes


class Manifest(Record):
    """The record of one run."""

    format: Literal["wandb_repro/manifest"] = "wandb_repro/manifest"
    version: str = VERSION
    recorded_by: str
    """``wandb_repro X.Y.Z``."""
    recorded_at: str
    """UTC, ISO 8601. For people: no digest of code, packages or weights depends on it."""
    run: RunIdentity
    execution: Execution
    description: Description
    trail: str | Unavailable = "trail.jsonl"
    """File name of the weights' trail inside the capsule."""
    ending: Ending | Unavailable

    def to_bytes(self) -> bytes:
        """Return the document: canonical JSON with its own digest under ``digest``."""
        return self.sealed().document

    def sealed(self) -> Sealed:
        """Return the manifest with its digest and its bytes, serialised once."""
        body = cast("dict[str, JSON]", self.model_dump(mode="json"))
        digest = f"sha256:{canonical.sha256(body)}"
        return Sealed(self, digest, canonical.dumps({**body, "digest": digest}) + b"\n")

    @classmethod
    def from_bytes(cls, document: bytes) -> Manifest:
        """Read a document back. ``from_bytes(m.to_bytes()) == m``.

        Raises:
            ManifestError: not JSON, of a newer major version, modified since it was written, or a
                field is missing, of the wrong type, or (in ``execution``) unknown.
        """
        return read_record(cls, _checked_body(document), "The manifest is")


def run_name(manifest: Manifest) -> str:
    """Return ``ENTITY/PROJECT/ID``, without the parts that are not known."""
    run = manifest.run
    known = [part for part in (run.entity, run.project) if isinstance(part, str)]
    return "/".join([*known, run.id])


def _checked_body(document: bytes) -> dict[str, JSON]:
    body = canonical.loads(document)
    if not isinstance(body, dict) or body.get("format") != "wandb_repro/manifest":
        raise ManifestError("This file is not a manifest of wandb_repro.")
    _check_version(body.get("version"))
    stated = body.pop("digest", None)
    if stated != "sha256:" + canonical.sha256(body):
        raise ManifestError(
            "The manifest's digest does not match its content: it was cut off or modified.",
            hint="Download the run's files again; do not edit repro/manifest.json.",
            where="digest",
        )
    return body


def _check_version(version: JSON) -> None:
    match = _VERSION.fullmatch(version) if isinstance(version, str) else None
    if match is None:
        raise ManifestError("The manifest has no valid format version.", where="version")
    if int(match["major"]) > _MAJOR:
        raise ManifestError(
            f"The manifest has format {version}; this wandb_repro reads up to {VERSION}.",
            hint="Upgrade wandb-repro at least to the version that recorded the run.",
            where="version",
        )
