"""Resolves the exact wheels of an environment, with their hashes.

A manifest is data from a stranger: its names and versions are checked before uv sees them, and
no address in it is ever used. Wheels come from the user's own indexes, or from the capsule.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Distribution, Packages, Repacked
from wandb_repro.rerun.environment.lockfile import Lock, LockedPackage, LockedWheel, extra_missing
from wandb_repro.rerun.environment.uv import refuse_unreachable, run_uv
from wandb_repro.rerun.environment.wheel_check import version_of, wheel_of_capsule

if TYPE_CHECKING:
    from packaging.pylock import PackageWheel

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NO_SOLUTION = 1
_NOT_ON_INDEX = "no index has a wheel of it"
_UNFIT = {
    "has no usable wheels": "the index has its source and no wheel that fits here",
    "has no wheels with a matching": "the index has no wheel of it that fits here",
}
"""uv's message if none of a release's files fits, and ours."""
_COMPILE = (
    *("pip", "compile", "-", "--no-deps", "--generate-hashes", "--format", "pylock.toml"),
    *("--no-header", "--no-build", "--no-sources", "--quiet"),
)


def resolve_lock(packages: Packages, wheels: Path, *, python: Path, version: str = "") -> Lock:
    """Return the exact wheels of the recorded environment.

    Args:
        packages: what was recorded.
        wheels: folder of the capsule's wheels.
        python: interpreter to resolve for.
        version: its version, ``X.Y.Z``; empty if it is the recorded one.

    Raises:
        RebuildError: distributions are not available (all of them are in ``missing``), a wheel of
            the capsule is not the recorded one, an index cannot be reached, or uv is missing.
    """
    missing = {each: why for each in packages.distributions if (why := _unavailable(each))}
    wanted = [each for each in packages.distributions if each not in missing]
    local = [
        wheel_of_capsule(each, each.repacked, wheels)
        for each in wanted
        if isinstance(each.repacked, Repacked)
    ]
    on_index = [each for each in wanted if not isinstance(each.repacked, Repacked)]
    refused: dict[str, str] = {}
    locked = _ask_index(on_index, python, refused)
    missing |= {each: _why_lost(each, refused) for each in on_index if each.name not in locked}
    if missing:
        raise _missing(missing)
    fitting = {name: _fitting(each, version) for name, each in locked.items()}
    chosen = [_exact(each, fitting[each.name]) for each in on_index]
    return Lock(
        packages=tuple(sorted([*local, *(each for each, _ in chosen)], key=lambda each: each.name)),
        python_version=packages.interpreter.version,
        wheels=wheels,
        notes=tuple(note for _, note in chosen if note),
    )


def _unavailable(distribution: Distribution) -> str:
    """Return why a distribution cannot be installed again; empty if it may be."""
    if not _NAME.fullmatch(distribution.name) or version_of(distribution.version) is None:
        return "its name or version is not valid"
    if distribution.origin == "index" or isinstance(distribution.repacked, Repacked):
        return ""
    why = distribution.repacked or "it was not packed with the run"
    return f"{distribution.origin} install: {why}"


def _why_lost(distribution: Distribution, refused: Mapping[str, str]) -> str:
    by = "conda installed it, and " if distribution.installer == "conda" else ""
    answer = refused.get(distribution.name, "")
    return by + next((ours for uvs, ours in _UNFIT.items() if uvs in answer), _NOT_ON_INDEX)


def _ask_index(
    wanted: Sequence[Distribution], python: Path, refused: dict[str, str]
) -> dict[str, LockedPackage]:
    """Return the wanted versions that the user's indexes have, by name.

    uv's message on each missing one is put into ``refused``, by name.
    """
    if not wanted:
        return {}
    pins = "\n".join(f"{package.name}=={package.version}" for package in wanted)
    answer = run_uv([*_COMPILE, "--python", str(python)], given=pins)
    if answer.returncode == 0:
        locked = parse_pylock(answer.output)
        return {package.name: locked[package.name] for package in wanted if _has(locked, package)}
    refuse_unreachable(answer)
    if answer.returncode != _NO_SOLUTION:
        raise RebuildError(f"uv could not make a lock: {answer.sentence}.")
    # uv answers for all or for none: ask for each half again until the missing ones are alone.
    half = len(wanted) // 2
    if not half:
        refused[wanted[0].name] = " ".join(answer.errors.split())
        return {}
    left, right = wanted[:half], wanted[half:]
    return _ask_index(left, python, refused) | _ask_index(right, python, refused)


def _has(locked: dict[str, LockedPackage], wanted: Distribution) -> bool:
    # "==1.0" also matches "1.0+cpu", which is a different build.
    package = locked.get(wanted.name)
    return package is not None and version_of(package.version) == version_of(wanted.version)


def parse_pylock(text: str) -> dict[str, LockedPackage]:
    """Return the packages of a ``pylock.toml`` that have wheels, by name.

    Raises:
        RebuildError: it is not a lock, or the library that reads it is not installed.
    """
    try:
        from packaging.pylock import Pylock, PylockValidationError
    except ImportError as error:
        raise extra_missing("packaging 26") from error
    try:
        packages = Pylock.from_dict(_toml(text)).packages
        return {
            each.name: LockedPackage(each.name, str(each.version), tuple(map(_wheel, each.wheels)))
            for each in packages
            if each.wheels
        }
    except (ValueError, RecursionError, PylockValidationError) as error:
        raise RebuildError(
            f"The lock that uv made cannot be read: {error}.",
            hint="Update uv (pip install -U uv): older versions omit needed facts.",
        ) from error


def _toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _wheel(wheel: PackageWheel) -> LockedWheel:
    url = urlsplit(wheel.url or Path(wheel.path or "").absolute().as_uri())
    clean = urlunsplit((url.scheme, url.netloc.rpartition("@")[2], url.path, "", ""))
    if "sha256" not in wheel.hashes:
        raise ValueError(f"{wheel.filename} has no SHA-256")
    return LockedWheel(wheel.filename, wheel.hashes["sha256"], wheel.size, clean)


def _exact(wanted: Distribution, package: LockedPackage) -> tuple[LockedPackage, str]:
    """Return the package with only the installed wheel, or a note that the index lacks it.

    Two wheels of one version may fit one machine; the recorded tags say which it was.
    """
    installed = tuple(wheel for wheel in package.wheels if _tags(wheel.name) == set(wanted.tags))
    if installed:
        return replace(package, wheels=installed[:1]), ""
    return (
        package,
        f"{wanted.name} {wanted.version}: the wheel that was installed is not on the index.",
    )


def _fitting(package: LockedPackage, version: str) -> LockedPackage:
    """Return the package with the wheels for a Python version, for any machine.

    uv before 0.9 also lists wheels for other versions.
    """
    if not version:
        return package
    from packaging.tags import compatible_tags, cpython_tags
    from packaging.utils import parse_wheel_filename

    numbers = [int(part) for part in version.split(".")[:2]]
    name = f"cp{numbers[0]}{numbers[1]}"
    tags = (*cpython_tags(numbers, None, ["any"]), *compatible_tags(numbers, name, ["any"]))
    fit = {(tag.interpreter, tag.abi) for tag in tags}
    fitting = tuple(
        wheel
        for wheel in package.wheels
        if any((tag.interpreter, tag.abi) in fit for tag in parse_wheel_filename(wheel.name)[3])
    )
    return replace(package, wheels=fitting) if fitting else package


def _tags(file_name: str) -> set[str]:
    from packaging.utils import parse_wheel_filename

    return set(map(str, parse_wheel_filename(file_name)[3]))


def _missing(missing: Mapping[Distribution, str]) -> RebuildError:
    names = [f"{package.name}=={package.version}" for package in missing]
    listed = [
        f"{ascii(name)[1:-1]} ({why})" for name, why in zip(names, missing.values(), strict=True)
    ]
    more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
    return RebuildError(
        f"These packages are not available: {', '.join(listed[:10])}{more}.",
        hint="Use the current environment (--env here), or name the index that has them "
        "(UV_INDEX), or a folder (UV_FIND_LINKS) where `pip wheel --no-deps NAME==VERSION` "
        "built them.",
        missing=tuple(names),
    )
