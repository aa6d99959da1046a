"""Whether the parts of a capsule on this disk are those that its manifest was written for."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.document import Manifest
from wandb_repro.manifest.packages import Repacked
from wandb_repro.store.base import Capsule
from wandb_repro.store.folder import sha256_of

__all__ = ["check_intact"]


def check_intact(capsule: Capsule, manifest: Manifest) -> None:
    """Check each part that is here. One that was not brought along is not looked at.

    Raises:
        RefusedError: a part is not the file that the manifest names.
    """
    for name, told in _parts(manifest):
        path = capsule.folder / name
        # What a manifest names lies in the capsule, or it is no part of it.
        inside = path.resolve().is_relative_to(capsule.folder.resolve())
        if inside and path.is_file() and sha256_of(path) != told:
            raise RefusedError(
                f"{name} of this run is not the file that its manifest was written for.",
                hint="It was cut off or changed; fetch the run again, or copy its whole folder.",
            )


def _parts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    code, packages = manifest.execution.code, manifest.execution.packages
    if isinstance(code, Code):
        added = code.added if isinstance(code.added, Unavailable) else code.added.bundle
        for bundle in (code.bundle, added):
            if isinstance(bundle, BundleFile):
                yield bundle.name, bundle.sha256
    for found in () if isinstance(packages, Unavailable) else packages.distributions:
        if isinstance(found.repacked, Repacked):
            yield f"wheels/{found.repacked.name}", found.repacked.sha256
