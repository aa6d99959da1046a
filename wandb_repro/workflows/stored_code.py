"""Finds the bundles of a run's source tree: in its capsule, or in the store of this machine."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.rerun.restore_extra import added_of
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import local_bundle


def bundle_of(capsule: Capsule, code: Code) -> Path:
    """Return the path of the bundle of a run's tree, which may not exist any more."""
    return _stored_at(capsule.bundle, code.bundle)


def added_bundle(capsule: Capsule, code: Code) -> Path:
    """Return the path of the bundle of the added files, which may not exist."""
    added = added_of(code)
    return _stored_at(capsule.added, added.bundle) if added else capsule.added


def _stored_at(in_capsule: Path, bundle: BundleFile | Unavailable) -> Path:
    # An export has both bundles in its capsule, wherever they were kept.
    if isinstance(bundle, BundleFile) and bundle.kept == "local" and not in_capsule.is_file():
        return local_bundle(bundle.sha256)
    return in_capsule


def check_stored(capsule: Capsule, code: Code) -> None:
    """Check that the bundles of a run's tree exist.

    Raises:
        RefusedError: one is missing.
    """
    bundles = [bundle_of(capsule, code)]
    if added_of(code) is not None:
        bundles.append(added_bundle(capsule, code))
    for bundle in bundles:
        if bundle.is_file():
            continue
        local = not bundle.is_relative_to(capsule.folder)
        raise RefusedError(
            f"The run's source tree is not here: there is no {bundle}.",
            hint='It was recorded with code="local": rerun it on the machine that recorded it.'
            if local
            else "Fetch the run again, or copy its whole folder.",
        )
