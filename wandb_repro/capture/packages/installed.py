"""The installed packages of this process, for comparison with a record."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.modified import find_modified
from wandb_repro.capture.packages.repack import repack_all, repack_modified
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages


def installed_packages(host: Host) -> Packages | Unavailable:
    """Return what is installed, including digests of editable installs and edited files.

    Wheels of editable and edited distributions are made in a temporary folder, only for digests.
    """
    packages = probe_packages(host)
    if isinstance(packages, Unavailable):
        return packages
    modified = find_modified(installation(host.distributions()).chosen)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        packed = repack_all(host, packages, Path(scratch))
        packages = repack_modified(host, packed, modified, Path(scratch))
    return packages.model_copy(update={"altered": modified})
