"""Wheels made from installed files, for distributions that no package index has.

A wheel holds the files as they are on disk now; installing it restores the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import DistInfo
from wandb_repro.capture.packages.distributions import read_distribution
from wandb_repro.capture.packages.installation import installation
from wandb_repro.capture.packages.wheel import wheel_name, write_wheel
from wandb_repro.capture.packages.wheel_contents import (
    dist_info_name,
    made_metadata,
    path_in_wheel,
    paths_to_pack,
    read_file,
    secret_files,
)
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, EditedPackage, Packages, Repacked

MAXIMUM_BYTES = 50_000_000
"""Limit of one distribution's files, before compression."""


def repack_all(
    host: Host, packages: Packages, folder: Path, *, maximum_bytes: int = MAXIMUM_BYTES
) -> Packages:
    """Return the packages with a wheel for each distribution that no package index has.

    Args:
        host: the process whose distributions are in ``packages``.
        packages: the record to complete.
        folder: for the wheels; created if necessary.
        maximum_bytes: limit of one distribution's files; a larger one gets a reason instead.
    """

    def wheel_of(record: Distribution, info: DistInfo) -> Repacked | Unavailable | None:
        if not _needs_wheel(record, info):
            return record.repacked
        return repack(info.distribution, folder, maximum_bytes=maximum_bytes)

    return _with_wheels(host, packages, wheel_of)


def repack_modified(
    host: Host,
    packages: Packages,
    altered: Iterable[EditedPackage],
    folder: Path,
    *,
    withheld: str = "",
) -> Packages:
    """Return the packages with a wheel for each distribution whose installed files were edited.

    Args:
        host: the process whose distributions are in ``packages``.
        packages: the record to complete.
        altered: distributions with edited files.
        folder: for the wheels; created if necessary.
        withheld: why the user's sources may not be stored; empty when they may.
    """
    names = {edited.name for edited in altered}

    def wheel_of(record: Distribution, info: DistInfo) -> Repacked | Unavailable | None:
        if record.name not in names or record.origin == "editable":
            return record.repacked
        if withheld:
            return Unavailable(unavailable=withheld)
        return repack(info.distribution, folder)

    return _with_wheels(host, packages, wheel_of) if names else packages


def _with_wheels(
    host: Host,
    packages: Packages,
    wheel_of: Callable[[Distribution, DistInfo], Repacked | Unavailable | None],
) -> Packages:
    """Return the packages with the wheel of each distribution that is still installed."""
    infos = installation(host.distributions()).chosen
    records = (
        record.model_copy(update={"repacked": wheel_of(record, infos[record.name])})
        if record.name in infos
        else record
        for record in packages.distributions
    )
    return packages.model_copy(update={"distributions": tuple(records)})


def repack(
    distribution: importlib.metadata.Distribution,
    folder: Path,
    *,
    maximum_bytes: int = MAXIMUM_BYTES,
) -> Repacked | Unavailable:
    """Write a wheel that installs the distribution again, and return its record.

    The same files give the same bytes. Installers make console scripts from ``entry_points.txt``.

    Args:
        distribution: an installed distribution.
        folder: for the wheel; created if necessary.
        maximum_bytes: limit of the distribution's files.

    Returns:
        The record, or why there is no wheel.
    """
    try:
        return _repack(distribution, folder, maximum_bytes)
    except (OSError, ValueError, SyntaxError, importlib.metadata.PackageNotFoundError) as error:
        return Unavailable(unavailable=f"it cannot be packed: {error}")


def _needs_wheel(record: Distribution, info: DistInfo) -> bool:
    # An index accepts no wheel for plain "linux". uv marks wheels built from a source release.
    built_here = any(re.search(r"-linux_\w+$", tag) for tag in record.tags)
    built_by_uv = info.has("uv_build.json")
    return record.origin != "index" or built_here or built_by_uv


def _repack(
    distribution: importlib.metadata.Distribution, folder: Path, maximum_bytes: int
) -> Repacked | Unavailable:
    record = read_distribution(DistInfo(distribution))
    if record.installer == "conda":
        return Unavailable(unavailable="conda installed it, and only conda can install it again")
    paths, left_out = paths_to_pack(distribution, editable=record.origin == "editable")
    if not paths:
        return Unavailable(unavailable=f"its files are not known: {_reason(record)}")
    if (size := sum(path.stat().st_size for path in paths.values())) > maximum_bytes:
        return Unavailable(unavailable=_too_large(size, maximum_bytes))
    dist_info = dist_info_name(record, paths)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / wheel_name(record.name, record.version, record.tags)
    inputs = _Inputs(record, left_out, tuple((name, *_stamp(path)) for name, path in paths.items()))
    cached = _CACHE.get(record.name)
    if cached is not None and cached.inputs == inputs:
        target.write_bytes(cached.content)
        return cached.wheel
    read = {path_in_wheel(name, dist_info): read_file(name, path) for name, path in paths.items()}
    # A published file was meant to be shared; a source folder and a repository were not.
    secret = secret_files(read, dist_info) if record.origin != "index" else ()
    files = {name: file for name, file in read.items() if name not in secret}
    files = made_metadata(distribution, record, dist_info) | files
    wheel = write_wheel(target, files, dist_info, left_out=(*left_out, *secret))
    if f"{dist_info}/METADATA" in paths and wheel.size_bytes <= _CACHED_BYTES:
        _CACHE[record.name] = _Cached(inputs, wheel, target.read_bytes())
    return wheel


class _Inputs(NamedTuple):
    """The inputs of a wheel: equal inputs make equal wheels."""

    record: Distribution
    left_out: tuple[str, ...]
    files: tuple[tuple[object, ...], ...]


class _Cached(NamedTuple):
    """A wheel that another run of this process may need too."""

    inputs: _Inputs
    wheel: Repacked
    content: bytes


_CACHE: dict[str, _Cached] = {}
"""By normalised name of the distribution."""
_CACHED_BYTES = 4 * 1024 * 1024
"""Larger wheels are made again for each run."""


def _stamp(path: Path) -> tuple[object, ...]:
    status = path.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    return str(path), status.st_ino, status.st_size, status.st_mode, *times


def _reason(record: Distribution) -> str:
    if record.origin == "editable":
        return "the editable install does not say which packages it makes importable"
    return str(record.record_digest)


def _too_large(size: int, maximum_bytes: int) -> str:
    return f"its files are {size / 1e6:.0f} MB, more than the {maximum_bytes / 1e6:.0f} MB packed"
