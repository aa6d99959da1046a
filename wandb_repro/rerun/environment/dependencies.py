"""Selects the distributions that a rerun needs: those that the run loaded, and what they require.

If that is unknown, everything is needed. Requirements are untrusted input: a requirement that
cannot be parsed counts without its conditions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wandb_repro.capture.packages.distributions import packages_digest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Interpreter, Packages
from wandb_repro.rerun.environment.lockfile import extra_missing

if TYPE_CHECKING:
    from packaging.requirements import Requirement


_OURS = "wandb-repro"
_LONGEST = 1_000
"""Characters of a requirement that is parsed; a longer one counts without its conditions."""


@dataclass(frozen=True)
class Needed:
    """The distributions to rebuild."""

    packages: Packages
    """The record with only the needed distributions."""
    left_out: tuple[str, ...] = ()
    """Names of the distributions that are not needed, sorted."""


@dataclass(frozen=True)
class _Requirement:
    """One requirement, as far as it could be read."""

    name: str
    marker: str
    requirement: Requirement | None


def needed_by_run(packages: Packages) -> Needed:
    """Return the distributions that the run loaded, and everything that they require.

    Includes extras whose requirements were all installed, and plugins of needed distributions,
    recognised by their entry point groups.

    Raises:
        RebuildError: the library that reads requirements is not here.
    """
    loaded = packages.loaded
    if isinstance(loaded, Unavailable) or isinstance(loaded.at_end, Unavailable):
        return Needed(packages)
    editable = (package.name for package in packages.distributions if package.origin == "editable")
    names = _closure(packages, {*loaded.at_start, *loaded.at_end, _OURS, *editable})
    return _only(packages, names)


def required_on(requirements: Iterable[str], interpreter: Interpreter) -> Iterator[str]:
    """Yield the names that are required on an interpreter, without extras.

    Raises:
        RebuildError: the library that reads requirements is not here.
    """
    environment = _marker_environment(interpreter)
    parsed = map(_parsed, requirements)
    yield from (each.name for each in parsed if _holds(each, environment, "") and each.name)


def _only(packages: Packages, names: frozenset[str]) -> Needed:
    kept = tuple(each for each in packages.distributions if each.name in names)
    left_out = tuple(each.name for each in packages.distributions if each.name not in names)
    if not left_out:
        return Needed(packages)
    changes = {"distributions": kept, "digest": packages_digest(kept)}
    return Needed(packages.model_copy(update=changes), left_out)


def _closure(packages: Packages, roots: Iterable[str]) -> frozenset[str]:
    """Return the recorded roots and everything that they require, directly or indirectly."""
    recorded = {package.name: package for package in packages.distributions}
    environment = _marker_environment(packages.interpreter)
    names: set[str] = set()
    waiting = {name for name in roots if name in recorded}
    while waiting:
        names |= waiting
        required = {found for name in waiting for found in _required(recorded[name], environment)}
        plugins = {package.name for package in recorded.values() if _is_plugin_of(package, names)}
        waiting = {name for name in required | plugins if name in recorded} - names
    return frozenset(names)


def _is_plugin_of(distribution: Distribution, names: set[str]) -> bool:
    """Tell whether one of its groups is named after a needed distribution: ``keras.backends``."""
    groups = distribution.plugin_groups
    hosts = {re.sub(r"\d+$", "", re.split(r"[._-]", group)[0]).lower() for group in groups} - {""}
    return any(name == host or name.startswith(f"{host}-") for host in hosts for name in names)


def _required(distribution: Distribution, environment: Mapping[str, str]) -> Iterator[str]:
    parsed = [_parsed(text) for text in distribution.requires]
    plain = [each for each in parsed if "extra" not in each.marker]
    yield from (each.name for each in plain if _holds(each, environment, ""))
    for extra in _extras(distribution, parsed):
        brought = [each for each in parsed if "extra" in each.marker]
        yield from (each.name for each in brought if _holds(each, environment, extra))


def _extras(distribution: Distribution, parsed: Iterable[_Requirement]) -> set[str]:
    """Return the extras that may be needed; of this package only the one for reruns."""
    extras = {extra for each in parsed for extra in _EXTRA.findall(each.marker)}
    return extras & {"rerun"} if distribution.name == _OURS else extras


_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']*)["']""")


def _parsed(text: str) -> _Requirement:
    try:
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.utils import canonicalize_name
    except ImportError as error:
        raise extra_missing("packaging 26") from error
    try:
        if len(text) > _LONGEST:
            raise InvalidRequirement(text[:_LONGEST])
        found = Requirement(text)
    except (InvalidRequirement, RecursionError):
        begins = re.match(r"[\w.-]*", text)
        name = canonicalize_name(begins[0] if begins else "")
        return _Requirement(name, "", None)
    return _Requirement(canonicalize_name(found.name), str(found.marker or ""), found)


def _holds(each: _Requirement, environment: Mapping[str, str], extra: str) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    marker = each.requirement.marker if each.requirement else None
    try:
        return marker is None or marker.evaluate({**environment, "extra": extra})
    except (UndefinedComparison, UndefinedEnvironmentName, ValueError):
        return True


def _marker_environment(interpreter: Interpreter) -> dict[str, str]:
    """Return the values of markers on the machine that recorded the run.

    Source: Dependency specifiers (PyPA), "Environment Markers".
    """
    from platform import machine

    version = interpreter.version
    recorded_machine = interpreter.platform.partition("-")[2]
    return {
        "implementation_name": interpreter.implementation,
        "implementation_version": version,
        "os_name": "posix",
        "platform_machine": recorded_machine or machine(),
        "platform_python_implementation": _IMPLEMENTATIONS.get(interpreter.implementation, ""),
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "linux",
    }


_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}
