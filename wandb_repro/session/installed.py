"""What is installed: read when a run starts; what no index can give back is packed meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from wandb_repro.capture.editable import source_folder
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages import normalised_name, probe_packages
from wandb_repro.capture.repack import repack_all
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Packages
from wandb_repro.session.background import Background

__all__ = ["Installed"]


_OURS = "wandb-repro"
_NOT_YET = Unavailable(unavailable="the packages were still being read")


class Installed:
    """The packages of a run.

    Args:
        host: the process.
        wheels: folder for what is repacked.
        withheld: why the user's own sources may not be stored, a wheel of them included; empty
            when they may. This package itself is packed all the same.
        after: what is waited for before they are read.
    """

    def __init__(
        self, host: Host, wheels: Path, *, withheld: str, after: threading.Event | None = None
    ) -> None:
        self._host = host
        self.packages: Packages | Unavailable = _NOT_YET
        self._read = Background(lambda: probe_packages(host), "packages", after=after)
        self._repacked = Background(
            lambda: _repacked(host, self._read.result(_READ_S), wheels, withheld),
            "wheels that no index can give back",
            after=after,
        )

    def settle(self, timeout_s: float) -> None:
        """Wait for the wheels; without them the record stands as it was read."""
        repacked = self._repacked.result(timeout_s)
        self.packages = repacked if isinstance(repacked, Packages) else self._read.result(0)

    def source_folders(self) -> Iterator[Path]:
        """Yield the folders of editable installs: they come back as wheels, not as inputs."""
        if isinstance(self.packages, Unavailable):
            return
        editable = {one.name for one in self.packages.distributions if one.origin == "editable"}
        for found in self._host.distributions():
            if normalised_name(found.name) in editable:
                yield source_folder(found)


_READ_S = 60.0


def _repacked(
    host: Host, packages: Packages | Unavailable, wheels: Path, withheld: str
) -> Packages | Unavailable:
    if isinstance(packages, Unavailable) or not withheld:
        return packages if isinstance(packages, Unavailable) else repack_all(host, packages, wheels)
    ours = tuple(one for one in packages.distributions if one.name == _OURS)
    packed = repack_all(host, packages.model_copy(update={"distributions": ours}), wheels)
    rest = (one for one in packages.distributions if one.name != _OURS)
    found = (*packed.distributions, *(_withheld(one, withheld) for one in rest))
    named = tuple(sorted(found, key=lambda one: one.name))
    return packages.model_copy(update={"distributions": named})


def _withheld(found: Distribution, reason: str) -> Distribution:
    if found.origin == "index":
        return found
    return found.model_copy(update={"repacked": Unavailable(unavailable=reason)})
