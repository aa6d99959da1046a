"""The artifact that a script gets back when it logs one that a rerun does not publish."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class Held:
    """A base before ``wandb.Artifact`` that answers what would need a server.

    A script can wait for the artifact, read its version, change its aliases, and download the files
    that it added. Other versions and the runs that use it are known only to a server.
    """

    # Values, not only annotations: each hides a property of the same name, which has no setter.
    id = "held-back"
    version = source_version = "v0"
    state = "COMMITTED"
    url = ""
    created_at = updated_at = "1970-01-01T00:00:00Z"
    commit_hash = ""
    is_link = False
    name = entity = project = ""
    source_name = source_entity = source_project = ""
    aliases: tuple[str, ...] | list[str] = ()
    tags: tuple[str, ...] | list[str] = ()

    def is_draft(self) -> bool:
        """Return False: the original's artifact was logged."""
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
        """Copy the files that were added to the artifact, as a download would.

        References are not followed.

        Returns:
            The folder.
        """
        del allow_missing_references, skip_cache, multipart
        default = Path(os.environ.get("WANDB_ARTIFACT_DIR", "artifacts")).absolute()
        folder = Path(root or default / self.name)
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
        """The artifact itself, because it is not a link."""
        return self

    @property
    def qualified_name(self) -> str:
        """``ENTITY/PROJECT/NAME`` that it would have."""
        return f"{self.entity}/{self.project}/{self.name}"

    @property
    def source_qualified_name(self) -> str:
        """``ENTITY/PROJECT/NAME`` that it would have."""
        return self.qualified_name

    @property
    def file_count(self) -> int:
        """Number of added files."""
        manifest: Any = getattr(self, "manifest", None)
        return len(getattr(manifest, "entries", ()))


def as_logged(artifact: T, run: object, aliases: Iterable[str] | None = None) -> T:
    """Make a ``wandb.Artifact`` answer as if this run had logged it, and return it.

    Without ``aliases`` it gets ``latest``.
    """
    if isinstance(artifact, Held):
        return artifact
    plain: Any = artifact
    name = str(plain.name).partition(":")[0]
    kind: type[object] = plain.__class__
    # The object itself is changed, since the script may have other references to it.
    plain.__class__ = _held(kind)
    plain.name = plain.source_name = f"{name}:{Held.version}"
    plain.entity = plain.source_entity = str(getattr(run, "entity", None) or "")
    plain.project = plain.source_project = str(getattr(run, "project", None) or "")
    plain.aliases = list(aliases or ("latest",))
    plain.tags = []
    return artifact


@functools.cache
def _held(kind: type) -> type:
    """Return a subclass with our answers first; its name and ``isinstance`` stay the same."""
    return type(kind.__name__, (Held, kind), {"__module__": kind.__module__})
