"""A record with as many packages as a grown environment has."""

from __future__ import annotations

from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages

__all__ = ["many_packages"]


def many_packages(manifest: Manifest, number: int) -> Manifest:
    """Return a run with so many packages in its environment."""
    packages = manifest.execution.packages
    assert isinstance(packages, Packages)
    one = packages.distributions[0]
    found = tuple(
        one.model_copy(update={"name": f"package-{place}-of-a-team"}) for place in range(number)
    )
    execution = manifest.execution.model_copy(
        update={"packages": packages.model_copy(update={"distributions": found})}
    )
    return manifest.model_copy(update={"execution": execution})
