"""The installed distributions, read in process and offline from their metadata.

Equal record digests mean that the same bytes were installed, by any installer and from any archive.
They trust RECORD; ``modified.py`` finds files that were edited afterwards.

Source: measured with uv 0.13 and pip 26.3: the digest of a wheel installed by either is equal.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, cast

from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.dist_info import DistInfo, direct_url_of, normalised_name
from wandb_repro.capture.packages.installation import Installation, installation
from wandb_repro.capture.packages.record import KnownRecords, record_digest_of
from wandb_repro.capture.secrets.redact import redact_url
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Interpreter, Packages, Shadowed

Origin = Literal["index", "local", "editable", "vcs", "archive"]


def probe_packages(host: Host) -> Packages | Unavailable:
    """Return every distribution that the process can import, and its interpreter."""
    try:
        found = installation(host.distributions())
        packages = _packages(found, tuple(host.package_folders))
    except OSError as error:
        return Unavailable(unavailable=f"the installed distributions cannot be read: {error}")
    if not packages.distributions:
        return Unavailable(unavailable="no installed distribution was found")
    return packages


@functools.lru_cache(maxsize=1)
def _packages(found: Installation, own_folders: tuple[str, ...]) -> Packages:
    known = KnownRecords()
    distributions = _read(found.chosen, own_folders, known.digest_of)
    known.keep()
    return Packages(
        interpreter=_interpreter(),
        distributions=distributions,
        digest=packages_digest(distributions),
        shadowed=tuple(_shadowed(found.found, found.chosen)),
    )


def read_distributions(site_packages: Path) -> tuple[Distribution, ...]:
    """Return the distributions installed in a folder; nothing in it is executed.

    Args:
        site_packages: of this process's environment or any other.
    """
    found = importlib.metadata.distributions(path=[str(site_packages)])
    return _read(Installation(map(DistInfo, found)).chosen, own_folders=(str(site_packages),))


def _read(
    chosen: Mapping[str, DistInfo],
    own_folders: Collection[str],
    digest_of: Callable[[bytes], str] = record_digest_of,
) -> tuple[Distribution, ...]:
    return tuple(
        read_distribution(info, among=chosen, own_folders=own_folders, digest_of=digest_of)
        for info in chosen.values()
    )


def read_distribution(
    info: DistInfo,
    *,
    among: Collection[str] = (),
    own_folders: Collection[str] = (),
    digest_of: Callable[[bytes], str] = record_digest_of,
) -> Distribution:
    """Return one distribution's record.

    Args:
        info: its metadata.
        among: normalised names of everything installed; only requirements among them are recorded.
        own_folders: the environment's own folders of packages.
        digest_of: returns the digest of RECORD's bytes.
    """
    origin, detail = _origin(info)
    headers = info.headers
    return Distribution(
        name=headers.name,
        version=headers.version,
        origin=origin,
        origin_detail=detail,
        installer=info.text("INSTALLER").strip(),
        tags=tuple(sorted(re.findall(r"^Tag:[ \t]*(\S+)", info.text("WHEEL"), re.MULTILINE))),
        record_digest=_record_digest(info, digest_of),
        requires=_requires(headers.requires, among),
        plugin_groups=_plugin_groups(info),
        found_in="" if info.location in own_folders else info.location,
    )


def packages_digest(distributions: Iterable[Distribution]) -> str:
    """Return SHA-256 over names, versions and record digests, hexadecimal."""
    rows = sorted([each.name, each.version, str(each.record_digest)] for each in distributions)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _shadowed(found: Iterable[DistInfo], chosen: Mapping[str, DistInfo]) -> Iterator[Shadowed]:
    """Yield each distribution that another of the same name hides on ``sys.path``."""
    for info in found:
        winner = chosen.get(info.headers.name)
        if winner is None or winner is info or info.base.startswith("~"):
            continue
        if os.path.realpath(info.folder) != os.path.realpath(winner.folder):
            name, version, _ = info.headers
            yield Shadowed(name=name, version=version, found_in=info.location)


def _requires(requirements: Iterable[str], among: Collection[str]) -> tuple[str, ...]:
    """Return the requirements that are installed, except of extras that are not complete."""
    # A requirement with a further condition may rightly be missing, so it does not count here.
    incomplete = {
        extra[1]
        for each in requirements
        if "extra" in each and (extra := _ONLY_EXTRA.search(each)) and _required(each) not in among
    }
    return tuple(
        each
        for each in requirements
        if _required(each) in among
        and not ("extra" in each and incomplete.intersection(_ANY_EXTRA.findall(each)))
    )


_ANY_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']*)["']""")
_ONLY_EXTRA = re.compile(r""";\s*\(?\s*extra\s*==\s*["']([^"']*)["']\s*\)?\s*$""")


@functools.lru_cache(maxsize=10_000)
def _required(requirement: str) -> str:
    """Return the normalised name that a requirement begins with (PEP 508)."""
    begins = _BEGINS.match(requirement)
    return normalised_name(begins[0]) if begins else ""


_BEGINS = re.compile(r"[\w.-]+")


def _plugin_groups(info: DistInfo) -> tuple[str, ...]:
    groups = re.findall(r"^\[([^\]\n]+)\]", info.text("entry_points.txt"), re.MULTILINE)
    return tuple(sorted({group.strip() for group in groups} - _SCRIPTS))


_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})


def _record_digest(info: DistInfo, digest_of: Callable[[bytes], str]) -> str | Unavailable:
    record = info.content("RECORD")
    if record and not record.isspace():
        try:
            return digest_of(record)
        except ValueError as error:
            return Unavailable(unavailable=str(error))
    by = info.text("INSTALLER").strip()
    who = f"it was installed by {by}" if by else "its installer is not recorded"
    return Unavailable(unavailable=f"it has no RECORD ({who})")


def _origin(info: DistInfo) -> tuple[Origin, str]:
    direct = direct_url_of(info)
    if not direct:
        return ("editable" if _is_develop(info) else "index"), ""
    if isinstance(vcs := direct.get("vcs_info"), dict):
        commit = cast("dict[str, object]", vcs).get("commit_id", "")
        return "vcs", f"{redact_url(str(direct.get('url', '')))}@{commit}"
    if isinstance(folder := direct.get("dir_info"), dict):
        editable = cast("dict[str, object]", folder).get("editable") is True
        return ("editable" if editable else "local"), ""
    return "archive", ""


def _is_develop(info: DistInfo) -> bool:
    # "setup.py develop" writes no direct_url.json: it puts the sources themselves on sys.path.
    at = os.path.basename(info.location)  # noqa: PTH119
    return info.is_egg and at not in {"site-packages", "dist-packages"}


def _interpreter() -> Interpreter:
    return Interpreter(
        version=platform.python_version(),
        implementation=sys.implementation.name,
        build=sys.version,
        cache_tag=sys.implementation.cache_tag or "none",
        executable=sys.executable or "unknown",
        libc=_libc(),
        platform=sysconfig.get_platform(),
    )


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or "unknown"
    except (OSError, ValueError):
        return " ".join(platform.libc_ver()).strip() or "unknown"
