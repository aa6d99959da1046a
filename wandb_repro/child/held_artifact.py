"""What a script holds after it logged an artifact that a rerun does not publish."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Held", "as_logged"]

T = TypeVar("T")


class Held:
    """Stands before ``wandb.Artifact``: what needs a server is answered here, all else there.

    A script may wait for an artifact, read its version, change its aliases, and download what it
    added to it. What only a server knows, such as the other versions of it, is not had.
    """

    # Values, not annotations alone: each hides a property of the same name, which has no setter.
    id = "held-back"
    version = source_version = "v0"
    state = "COMMITTED"
    url = ""
    created_at = updated_at = "1970-01-01T00:00:00Z"
    commit_hash = ""
    is_link = False
    name = entity = project = ""
    aliases: tuple[str, ...] | list[str] = ()
    tags: tuple[str, ...] | list[str] = ()

    def is_draft(self) -> bool:
        """Tell that it was logged, as the original's was."""
        return False

    def wait(self, timeout: int | None = None) -> Held:
        """Return at once: there is nothing to wait for."""
        del timeout
        return self

    def download(
        self,
        root: str | os.PathLike[str] | None = None,
        allow_missing_references: bool = False,
        skip_cache: bool | None = None,
        path_prefix: str | os.PathLike[str] | None = None,
        multipart: bool | None = None,
    ) -> str:
        """Give the files that were added to it, as a server would. No reference is followed."""
        del allow_missing_references, skip_cache, multipart
        usual = Path(os.environ.get("WANDB_ARTIFACT_DIR", "artifacts")).absolute()
        folder = Path(root or usual / self.name)
        folder.mkdir(parents=True, exist_ok=True)
        manifest: Any = getattr(self, "manifest", None)
        for name, entry in manifest.entries.items():
            if entry.local_path and str(name).startswith(os.fspath(path_prefix or "")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.local_path, folder / name)
        return str(root or folder)

    def logged_by(self) -> None:
        """Return no run, as for an artifact whose run was deleted."""

    def used_by(self) -> list[Any]:
        """Return no runs."""
        return []

    @property
    def source_artifact(self) -> Held:
        """The artifact itself: it is no link."""
        return self

    @property
    def source_name(self) -> str:
        """Its name with its version."""
        return self.name

    @property
    def source_entity(self) -> str:
        """The entity of the rerun."""
        return self.entity

    @property
    def source_project(self) -> str:
        """The project of the rerun."""
        return self.project

    @property
    def qualified_name(self) -> str:
        """Where it would be."""
        return f"{self.entity}/{self.project}/{self.name}"

    @property
    def source_qualified_name(self) -> str:
        """Where it would be."""
        return self.qualified_name

    @property
    def file_count(self) -> int:
        """How many files were added to it."""
        manifest: Any = getattr(self, "manifest", None)
        return len(getattr(manifest, "entries", ()))


def as_logged(artifact: T, run: object, aliases: Iterable[str] | None = None) -> T:
    """Return the artifact itself, which from now on answers as one that was logged.

    Args:
        artifact: a ``wandb.Artifact``; a script may hold it under another name, so it is changed.
        run: the run that would have logged it.
        aliases: that it would have got.
    """
    if isinstance(artifact, Held):
        return artifact
    plain: Any = artifact
    name = str(plain.name).partition(":")[0]
    kind: type[object] = plain.__class__
    plain.__class__ = _held(kind)
    plain.name = f"{name}:{Held.version}"
    plain.entity = str(getattr(run, "entity", None) or "")
    plain.project = str(getattr(run, "project", None) or "")
    plain.aliases = list(aliases or ("latest",))
    plain.tags = []
    return artifact


@functools.cache
def _held(kind: type) -> type:
    """Return the class with ours before it; it keeps its name, and ``isinstance`` holds."""
    return type(kind.__name__, (Held, kind), {"__module__": kind.__module__})
