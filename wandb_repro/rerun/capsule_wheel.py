"""A wheel of the capsule, believed only if it is the recorded one."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Distribution, Repacked
from wandb_repro.rerun.lockfile import LockedPackage, LockedWheel
from wandb_repro.rerun.wheel_archive import check_archive

if TYPE_CHECKING:
    from packaging.version import Version

__all__ = ["version_of", "wheel_of_capsule"]

_MOST_BYTES = 60_000_000
"""As many as are downloaded; recording packs fewer."""


def wheel_of_capsule(distribution: Distribution, repacked: Repacked, wheels: Path) -> LockedPackage:
    """Return the recorded wheel of the capsule.

    Raises:
        RebuildError: the file is absent, is another one, would fill the disk, or is no wheel that
            may be unpacked.
    """
    path = wheels / repacked.name
    if not _is_wheel_of(distribution, repacked.name):
        raise RebuildError(f"{repacked.name!a} is no wheel of {distribution.name}.")
    if path.is_symlink() or not path.is_file() or path.stat().st_size != repacked.size_bytes:
        raise _not_the_recorded(path)
    if repacked.size_bytes > _MOST_BYTES:
        raise RebuildError(f"The wheel {path.name} of the run is larger than any that is recorded.")
    if hashlib.sha256(path.read_bytes()).hexdigest() != repacked.sha256:
        raise _not_the_recorded(path)
    check_archive(path)
    wheel = LockedWheel(repacked.name, repacked.sha256, repacked.size_bytes)
    return LockedPackage(distribution.name, distribution.version, (wheel,))


def _not_the_recorded(path: Path) -> RebuildError:
    return RebuildError(
        f"The wheel {path.name} of the run is missing or is not the one that was recorded.",
        hint="Fetch the run again.",
    )


def _is_wheel_of(distribution: Distribution, file_name: str) -> bool:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        name, version, _, _ = parse_wheel_filename(file_name)
    except InvalidWheelFilename:
        return False
    is_plain = re.fullmatch(r"[\w.+!-]+\.whl", file_name) is not None
    return is_plain and (name, version) == (distribution.name, version_of(distribution.version))


def version_of(text: str) -> Version | None:
    """Return a version as PEP 440 reads it; None where it is none."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text)
    except InvalidVersion:
        return None
