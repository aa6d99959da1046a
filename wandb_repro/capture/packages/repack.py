"""Wheels made from installed files, for what no index can give back.

Packed is what is on disk now: after the wheel is installed elsewhere, the same bytes lie there.

The environment of this process, as it is compared with a recorded one.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import DistInfo, installation
from wandb_repro.capture.packages.distributions import probe_packages, read_distribution
from wandb_repro.capture.packages.editable import Importable, importable_files
from wandb_repro.capture.packages.modified import find_altered
from wandb_repro.capture.packages.record import INSTALLER_FILES, record_paths
from wandb_repro.capture.packages.wheel import WheelFile, wheel_name, write_wheel
from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, EditedPackage, Packages, Repacked

__all__ = ["MAXIMUM_BYTES", "packages_at_hand", "repack", "repack_all", "with_altered"]


_PREFIX = "../../../"
"""From ``PREFIX/lib/pythonX.Y/site-packages`` to where scripts and data lie."""

_SHEBANG = re.compile(rb"\A#!(/bin/sh\n'''exec' [^\n]*\n' '''|[^\n]*python[^\n]*)\n")
"""What an installer put in place of ``#!python``: the long form where the interpreter's path is
too long for the kernel."""

MAXIMUM_BYTES = 50_000_000
"""Of one distribution's files, before they are compressed."""


def repack_all(
    host: Host, packages: Packages, folder: Path, *, maximum_bytes: int = MAXIMUM_BYTES
) -> Packages:
    """Return the packages with a wheel for each that no index can give back.

    Args:
        host: whose distributions ``packages`` tells of.
        packages: the record to complete.
        folder: where the wheels go; made if need be.
        maximum_bytes: of one distribution's files; what is larger is left out with the reason.
    """
    found = installation(host.distributions()).chosen

    def completed(each: Distribution) -> Distribution:
        info = found.get(each.name)
        if info is None or not _needs_wheel(each, info):
            return each
        wheel = repack(info.distribution, folder, maximum_bytes=maximum_bytes)
        return each.model_copy(update={"repacked": wheel})

    return packages.model_copy(
        update={"distributions": tuple(map(completed, packages.distributions))}
    )


def with_altered(
    host: Host,
    packages: Packages,
    altered: Iterable[EditedPackage],
    folder: Path,
    *,
    withheld: str = "",
) -> Packages:
    """Return the packages with a wheel for each that was edited by hand, as it is on the disk.

    Args:
        host: whose distributions ``packages`` tells of.
        packages: the record to complete.
        altered: what was edited.
        folder: where the wheels go; made if need be.
        withheld: why sources of the user may not be stored; empty when they may.
    """
    names = {each.name for each in altered}
    if not names:
        return packages
    found = installation(host.distributions()).chosen

    def completed(each: Distribution) -> Distribution:
        if each.name not in names or each.name not in found or each.origin == "editable":
            return each
        wheel = Unavailable(unavailable=withheld)
        again = wheel if withheld else repack(found[each.name].distribution, folder)
        return each.model_copy(update={"repacked": again})

    return packages.model_copy(
        update={"distributions": tuple(map(completed, packages.distributions))}
    )


def repack(
    distribution: importlib.metadata.Distribution,
    folder: Path,
    *,
    maximum_bytes: int = MAXIMUM_BYTES,
) -> Repacked | Unavailable:
    """Return a wheel that gives the distribution back, written to ``folder``.

    The same files give the same bytes. Console scripts come back through ``entry_points.txt``.
    """
    try:
        return _repack(distribution, folder, maximum_bytes)
    except (OSError, ValueError, SyntaxError, importlib.metadata.PackageNotFoundError) as error:
        return Unavailable(unavailable=f"it cannot be packed: {error}")


def _needs_wheel(record: Distribution, info: DistInfo) -> bool:
    # An index takes no wheel for plain "linux", and uv says what it built: a source release.
    built_here = any(re.search(r"-linux_\w+$", tag) for tag in record.tags)
    built_by_uv = info.has("uv_build.json")
    return record.origin != "index" or built_here or built_by_uv


def _repack(
    distribution: importlib.metadata.Distribution, folder: Path, maximum_bytes: int
) -> Repacked | Unavailable:
    record = read_distribution(DistInfo(distribution))
    if record.installer == "conda":
        return Unavailable(unavailable="conda installed it, and only conda gives it back")
    paths, left_out = _paths(distribution, editable=record.origin == "editable")
    if not paths:
        return Unavailable(unavailable=f"its files are not known: {_reason(record)}")
    if (size := sum(path.stat().st_size for path in paths.values())) > maximum_bytes:
        return Unavailable(unavailable=_too_large(size, maximum_bytes))
    dist_info = _dist_info(record, paths)
    folder.mkdir(parents=True, exist_ok=True)
    packed = folder / wheel_name(record.name, record.version, record.tags)
    of = _Of(record, left_out, tuple((name, *_stamp(path)) for name, path in paths.items()))
    kept = _KEPT.get(record.name)
    if kept is not None and kept.of == of:
        packed.write_bytes(kept.content)
        return kept.wheel
    read = {_inside(name, dist_info): _read(name, path) for name, path in paths.items()}
    # What was built and installed was meant to be given away; a source folder was not.
    secret = _secrets(read, dist_info) if record.origin == "editable" else ()
    files = {name: file for name, file in read.items() if name not in secret}
    files = _made_metadata(distribution, record, dist_info) | files
    wheel = write_wheel(packed, files, dist_info, left_out=(*left_out, *secret))
    if f"{dist_info}/METADATA" in paths and wheel.size_bytes <= _KEPT_BYTES:
        _KEPT[record.name] = _Kept(of, wheel, packed.read_bytes())
    return wheel


class _Of(NamedTuple):
    """What a wheel was made of."""

    record: Distribution
    left_out: tuple[str, ...]
    files: tuple[tuple[object, ...], ...]


class _Kept(NamedTuple):
    """A wheel that another run of this process may need, too."""

    of: _Of
    wheel: Repacked
    content: bytes


_KEPT: dict[str, _Kept] = {}
_KEPT_BYTES = 4 * 1024 * 1024
"""Larger wheels are made anew for each run."""


def _stamp(path: Path) -> tuple[object, ...]:
    status = path.stat()
    times = status.st_mtime_ns, status.st_ctime_ns
    return str(path), status.st_ino, status.st_size, status.st_mode, *times


def _secrets(files: Mapping[str, WheelFile], dist_info: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, file in sorted(files.items())
        if not name.startswith(f"{dist_info}/")
        and (secret_in_name(name.encode()) or secret_in_text(file.content, name.encode()))
    )


def _paths(distribution: importlib.metadata.Distribution, *, editable: bool) -> Importable:
    """Return the files to pack by their path in RECORD, or for sources inside the wheel."""
    scripts = {point.name for point in distribution.entry_points}
    listed = {
        name: Path(str(distribution.locate_file(name)))
        for name in record_paths(distribution.read_text("RECORD") or "")
        if _is_packed(name, scripts)
    }
    if not editable:
        return Importable(listed, ())
    sources, left_out = importable_files(distribution)
    metadata = {name: path for name, path in listed.items() if ".dist-info/" in name}
    return Importable(metadata | sources if sources else {}, left_out)


def _is_packed(name: str, entry_points: set[str]) -> bool:
    folder, _, base = name.rpartition("/")
    made_by_installer = folder.endswith(".dist-info") and base in INSTALLER_FILES
    made_from_entry_point = folder.endswith("../bin") and base in entry_points
    return not (
        name.endswith(".pyc")
        or made_by_installer
        or made_from_entry_point
        or (name.startswith(("/", "../")) and not name.startswith(_PREFIX))
    )


def _inside(name: str, dist_info: str) -> str:
    """Return the path inside the wheel of what RECORD names.

    Source: Binary distribution format (PyPA), "The .data directory".
    """
    if not name.startswith(_PREFIX):
        return name
    data = dist_info.removesuffix(".dist-info") + ".data"
    under = name.removeprefix(_PREFIX)
    return f"{data}/scripts/{under[4:]}" if under.startswith("bin/") else f"{data}/data/{under}"


def _read(name: str, path: Path) -> WheelFile:
    content = path.read_bytes()
    if name.startswith(f"{_PREFIX}bin/"):
        content = _SHEBANG.sub(b"#!python\n", content)
    return WheelFile(content, executable=os.access(path, os.X_OK))


def _dist_info(record: Distribution, paths: Iterable[str]) -> str:
    written = (name.split("/")[0] for name in paths if re.match(r"[^/]+\.dist-info/", name))
    name = f"{record.name.replace('-', '_')}-{record.version.replace('-', '_')}"
    return next(written, f"{name}.dist-info")


def _made_metadata(
    distribution: importlib.metadata.Distribution, record: Distribution, dist_info: str
) -> dict[str, WheelFile]:
    """Return what a ``.dist-info`` needs, made from an ``.egg-info``; RECORD's own go before."""
    tags = "".join(f"Tag: {tag}\n" for tag in record.tags or ("py3-none-any",))
    texts = {
        "METADATA": distribution.read_text("METADATA") or distribution.read_text("PKG-INFO"),
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: wandb-repro\nRoot-Is-Purelib: true\n{tags}",
        "entry_points.txt": distribution.read_text("entry_points.txt"),
        "top_level.txt": distribution.read_text("top_level.txt"),
    }
    return {f"{dist_info}/{name}": WheelFile(text.encode()) for name, text in texts.items() if text}


def _reason(record: Distribution) -> str:
    if record.origin == "editable":
        return "the editable install does not tell which packages it makes importable"
    return str(record.record_digest)


def _too_large(size: int, maximum_bytes: int) -> str:
    return f"its files are {size / 1e6:.0f} MB, more than the {maximum_bytes / 1e6:.0f} MB packed"


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
