"""Files that a run left behind: what it saved, logged as artifacts, or wrote with Keras."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from wandb_repro.manifest.base import Record, Unavailable


class OutputFile(Record):
    """One file, digested by what is in it."""

    place: Literal["run", "artifact", "disk"]
    """Where it was saved: in the run's folder, in an artifact, or elsewhere on the disk."""
    path: str
    """Relative to the run's folder; in the artifact; or relative to the folder in which the script
    was started, absolute if it is outside."""
    artifact: str = ""
    """Name of the artifact; empty if it is in none."""
    version: int = 0
    """How many artifacts of this name the run had logged before."""
    type: str = ""
    """Type of the artifact, such as ``model``."""
    size_bytes: int | Unavailable
    kind: str
    """How it was digested: ``keras``, ``hdf5``, ``npz``, ``torch``, ``zip``, ``tar``,
    ``safetensors``, ``tensorflow`` by their parts, ``gzip`` unpacked, ``folder`` by its files,
    ``reference`` by W&B's digest, else ``bytes``."""
    digest: str | Unavailable
    """``ALGORITHM:HEX``, or why there is none."""
    parts: dict[str, str] = Field(default_factory=dict[str, str])
    """First 8 hexadecimal digits of the digest of each tensor and config, by name; empty if it was
    digested as a whole or has too many."""

    @property
    def name(self) -> str:
        """Its name for people: the path, or the artifact with its version and the path in it."""
        if self.place == "artifact":
            return f"{self.artifact}:v{self.version}/{self.path}"
        return self.path


class Outputs(Record):
    """All files that a run left behind."""

    files: tuple[OutputFile, ...]
    """In the order of place, name and version."""
    left_out: int = 0
    """Files beyond the limit, which are not recorded."""
