"""The capsule: the files that one run leaves behind in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = "repro"
"""Name of the capsule inside a run's files."""
MANIFEST = "manifest.json"
BUNDLE = "code.bundle"
CELLS = "cells.json"
ADDED = "added.bundle"
TRAIL = "trail.jsonl"
WHEELS = "wheels"
CHANGES = "changes.diff"
REPORT = "report.html"
SHOWN = "repro/card"
"""Name in the run's summary of the report that a media panel shows."""


@dataclass(frozen=True)
class Capsule:
    """Paths of the parts of a capsule. Nothing is read."""

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
    def cells(self) -> Path:
        """The cells that a notebook executed."""
        return self.folder / CELLS

    @property
    def added(self) -> Path:
        """Files that the run used outside its source tree."""
        return self.folder / ADDED

    @property
    def trail(self) -> Path:
        """The weights' digests."""
        return self.folder / TRAIL

    @property
    def wheels(self) -> Path:
        """Folder of repacked distributions."""
        return self.folder / WHEELS

    @property
    def changes(self) -> Path:
        """Uncommitted changes, as a diff for people; nothing is restored from it."""
        return self.folder / CHANGES

    @property
    def report(self) -> Path:
        """The record as a page, for people; nothing is read back from it."""
        return self.folder / REPORT
