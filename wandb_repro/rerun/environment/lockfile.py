"""A lock, and the two files that it is written to: ``pylock.toml`` and ``requirements.txt``.

Neither contains the address of an index or credentials.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from wandb_repro.errors import RebuildError

if TYPE_CHECKING:
    from packaging.pylock import PackageWheel, Pylock


_ADDRESS = re.compile(r"(https?|file)://[\x21-\x7e]+")


@dataclass(frozen=True)
class LockedWheel:
    """One wheel file."""

    name: str
    """File name."""
    sha256: str
    """Hexadecimal."""
    size_bytes: int | None
    url: str = ""
    """URL on the user's index, without credentials; empty for a wheel of the capsule."""


@dataclass(frozen=True)
class LockedPackage:
    """One distribution and what may be installed for it: almost always one wheel."""

    name: str
    version: str
    wheels: tuple[LockedWheel, ...]


@dataclass(frozen=True)
class Lock:
    """Everything to install, nothing to resolve."""

    packages: tuple[LockedPackage, ...]
    """Sorted by name."""
    python_version: str
    """``X.Y.Z`` that it was made for."""
    wheels: Path
    """Folder of the capsule's wheels."""
    notes: tuple[str, ...] = ()
    """Reasons why it is not exact, one sentence each."""

    def write_pylock(self, path: Path) -> None:
        """Write ``pylock.toml`` (PEP 751); paths in it are relative to its folder.

        Raises:
            RebuildError: the extra that writes it is not installed.
        """
        try:
            import tomli_w
        except ImportError as error:
            raise extra_missing("tomli-w") from error
        content = _pylock_of(self, _relative(self.wheels, path.parent)).to_dict()
        path.write_text(tomli_w.dumps(dict(content)), encoding="utf-8")

    def write_requirements(self, path: Path) -> None:
        """Write ``requirements.txt`` with hashes; paths in it are relative to its folder.

        Install it from that folder: pip resolves relative paths from its working directory.
        """
        path.write_text(self.requirements(f"./{_relative(self.wheels, path.parent)}"))

    def requirements(self, folder: str, *, by_address: bool = False) -> str:
        """Return the text of ``requirements.txt``.

        Args:
            folder: where the capsule's wheels are: a relative path or a ``file:`` URL.
            by_address: name the only wheel of a package by its URL instead of its version, since
                an index may have several wheels of one version.
        """
        lines = (_requirement(package, folder, by_address=by_address) for package in self.packages)
        return "".join(f"{line}\n" for line in lines)


def extra_missing(what: str) -> RebuildError:
    """Return the error for a library of the extra ``rerun`` that is not installed."""
    return RebuildError(
        f"{what}, which reads and writes locks, is not installed.",
        hint="Install it: pip install 'wandb-repro[rerun]'.",
    )


def _pylock_of(lock: Lock, folder: str) -> Pylock:
    try:
        from packaging.pylock import Package, Pylock
        from packaging.specifiers import SpecifierSet
        from packaging.utils import canonicalize_name
        from packaging.version import Version
    except ImportError as error:
        raise extra_missing("packaging 26") from error
    return Pylock(
        lock_version=Version("1.0"),
        requires_python=SpecifierSet(f"=={lock.python_version.rpartition('.')[0]}.*"),
        created_by="wandb-repro",
        packages=[
            Package(
                name=canonicalize_name(package.name),
                version=Version(package.version),
                wheels=[_wheel(wheel, folder) for wheel in package.wheels],
            )
            for package in lock.packages
        ],
    )


def _wheel(wheel: LockedWheel, folder: str) -> PackageWheel:
    from packaging.pylock import PackageWheel

    return PackageWheel(
        name=wheel.name,
        url=wheel.url or None,
        path=None if wheel.url else f"{folder}/{wheel.name}",
        size=wheel.size_bytes,
        hashes={"sha256": wheel.sha256},
    )


def _requirement(package: LockedPackage, folder: str, *, by_address: bool) -> str:
    first = package.wheels[0]
    if first.url and by_address and len(package.wheels) == 1 and _ADDRESS.fullmatch(first.url):
        what = f"{package.name} @ {first.url}"
    elif first.url:
        what = f"{package.name}=={package.version}"
    elif folder.startswith("file:"):
        what = f"{package.name} @ {folder}/{quote(first.name)}"
    else:
        what = f"{folder}/{first.name}"
    return " ".join([what, *(f"--hash=sha256:{wheel.sha256}" for wheel in package.wheels)])


def _relative(folder: Path, start: Path) -> str:
    return Path(os.path.relpath(folder.resolve(), start.resolve())).as_posix()
