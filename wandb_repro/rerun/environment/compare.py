"""Compares the distributions of two environments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import (
    Distribution,
    EditedPackage,
    Interpreter,
    Packages,
    Repacked,
)

_PYTHON = "python"
_MOST = 3
"""Edited files that are named."""


@dataclass(frozen=True)
class Inequality:
    """One distribution that differs between two environments."""

    name: str
    """Name of the distribution; ``python`` for the interpreter."""
    what: Literal["missing", "extra", "version", "content", "edited", "unknown"]
    """``missing`` or ``extra`` in the copy; ``edited``: one was edited by hand after it was
    installed; ``unknown``: one has no record of its content, so they cannot be compared."""
    original: str
    copy: str


def compare_environments(
    original: Packages, copy: Iterable[Distribution], copy_altered: Iterable[EditedPackage] = ()
) -> tuple[Inequality, ...]:
    """Return each distribution that is not equal, sorted by name.

    Two are equal if their versions and the records of their files are. A distribution that was
    packed with the run is compared by what its wheel installs. ``copy_altered`` are the packages
    of the copy that were edited by hand.
    """
    ours = {package.name: package for package in original.distributions}
    theirs = {package.name: package for package in copy}
    names = sorted({*ours, *theirs})
    edited = _edited(original.altered), _edited(copy_altered)
    found = (_compare(name, ours.get(name), theirs.get(name), *edited) for name in names)
    return tuple(inequality for inequality in found if inequality)


def _edited(altered: Iterable[EditedPackage] | Unavailable) -> dict[str, str]:
    """Return the edited files of each distribution, in words."""
    if isinstance(altered, Unavailable):
        return {}
    return {package.name: ", ".join(package.files[:_MOST]) for package in altered}


def matches_here(packages: Packages, here: Packages) -> tuple[Inequality, ...]:
    """Return the differences between the current environment and the recorded one.

    An editable install in ``here`` must be packed (``repack_all``): otherwise it counts as not
    equal, since its RECORD says nothing about its content.
    """
    recorded, current = packages.interpreter, here.interpreter
    altered = () if isinstance(here.altered, Unavailable) else here.altered
    differences = compare_environments(packages, here.distributions, altered)
    if recorded.version != current.version or recorded.implementation != current.implementation:
        what = Inequality(_PYTHON, "version", python_of(recorded), python_of(current))
        return (what, *differences)
    if recorded.build != current.build:
        return (Inequality(_PYTHON, "content", recorded.build, current.build), *differences)
    return differences


def _compare(
    name: str,
    one: Distribution | None,
    other: Distribution | None,
    edited: Mapping[str, str],
    edited_copy: Mapping[str, str],
) -> Inequality | None:
    if one is None or other is None:
        what = "extra" if one is None else "missing"
        return Inequality(name, what, one.version if one else "", other.version if other else "")
    if one.version != other.version:
        return Inequality(name, "version", one.version, other.version)
    ours, theirs = _content(one), _content(other)
    if (name in edited and not _is_packed(one)) or (name in edited_copy and not _is_packed(other)):
        return Inequality(name, "edited", edited.get(name, ""), edited_copy.get(name, ""))
    if isinstance(ours, Unavailable) or isinstance(theirs, Unavailable):
        return Inequality(name, "unknown", str(ours), str(theirs))
    return None if ours == theirs else Inequality(name, "content", ours, theirs)


def _is_packed(distribution: Distribution) -> bool:
    return isinstance(distribution.repacked, Repacked)


def _content(distribution: Distribution) -> str | Unavailable:
    """Return the record digest of what can be imported, not of what points at it."""
    if isinstance(distribution.repacked, Repacked):
        return distribution.repacked.record_digest
    if distribution.origin == "editable":
        return Unavailable(unavailable="an editable install that was not packed")
    return distribution.record_digest


def python_of(interpreter: Interpreter) -> str:
    """Return an interpreter's name and version."""
    return f"{interpreter.implementation} {interpreter.version}"
