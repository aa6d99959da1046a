"""The environment of this process, as it is compared with a recorded one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from wandb_repro.capture.altered import find_altered
from wandb_repro.capture.host import Host
from wandb_repro.capture.installation import installation
from wandb_repro.capture.packages import probe_packages
from wandb_repro.capture.repack import repack_all, with_altered
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Packages

__all__ = ["packages_at_hand"]


def packages_at_hand(host: Host) -> Packages | Unavailable:
    """Return what is installed: editable installs by what they would be packed as, and edits."""
    found = probe_packages(host)
    if isinstance(found, Unavailable):
        return found
    altered = find_altered(installation(host.distributions()).chosen)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        packed = repack_all(host, found, Path(scratch))
        whole = with_altered(host, packed, altered, Path(scratch))
    return whole.model_copy(update={"altered": altered})
