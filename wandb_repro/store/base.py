"""The capsule: what one run leaves behind, as files in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["BUNDLE", "FOLDER", "MANIFEST", "TRAIL", "WHEELS", "Capsule"]

FOLDER = "repro"
"""Name of the capsule inside a run's files."""
MANIFEST = "manifest.json"
BUNDLE = "code.bundle"
TRAIL = "trail.jsonl"
WHEELS = "wheels"


@dataclass(frozen=True)
class Capsule:
    """Where the parts of a capsule are. Nothing is read until it is asked for."""

    folder: Path

    @property
    def manifest(self) -> Path:
        """The record."""
        return self.folder / MANIFEST

    @property
    def bundle(self) -> Path:
        """The source tree."""
        return self.folder / BUNDLE

    @property
    def trail(self) -> Path:
        """The weights' digests."""
        return self.folder / TRAIL

    @property
    def wheels(self) -> Path:
        """Folder of repacked distributions."""
        return self.folder / WHEELS
