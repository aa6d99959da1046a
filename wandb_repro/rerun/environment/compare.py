"""What is not the same in two environments."""

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
    """One distribution that is not the same on both sides."""

    name: str
    """Of the distribution; ``python`` stands for the interpreter."""
    what: Literal["missing", "extra", "version", "content", "edited", "unknown"]
    """``missing`` and ``extra`` are seen from the copy; ``edited`` where a side was edited by hand
    after it was installed; ``unknown`` where a side has no record of its content, so that the two
    cannot be compared."""
    original: str
    copy: str


def compare_environments(
    original: Packages, copy: Iterable[Distribution], copy_altered: Iterable[EditedPackage] = ()
) -> tuple[Inequality, ...]:
    """Return each distribution that is not equal, sorted by name.

    Two are equal if their versions are, and the records of their files. A distribution that was
    packed with the run is compared by what its wheel installs. ``copy_altered`` are the packages
    of the copy that were edited by hand.
    """
    ours = {each.name: each for each in original.distributions}
    theirs = {each.name: each for each in copy}
    pairs = ((name, ours.get(name), theirs.get(name)) for name in sorted({*ours, *theirs}))
    edited = _edited(original.altered), _edited(copy_altered)
    found = (_compare(name, one, other, *edited) for name, one, other in pairs)
    return tuple(each for each in found if each)


def _edited(altered: Iterable[EditedPackage] | Unavailable) -> dict[str, str]:
    """Return the edited files of each distribution, in words."""
    if isinstance(altered, Unavailable):
        return {}
    return {each.name: ", ".join(each.files[:_MOST]) for each in altered}


def matches_here(packages: Packages, here: Packages) -> tuple[Inequality, ...]:
    """Return the differences between the current environment and the recorded one.

    An editable install in ``here`` must be packed (``repack_all``): otherwise it counts as not
    equal, since its RECORD says nothing of its content.
    """
    one, other = packages.interpreter, here.interpreter
    altered = () if isinstance(here.altered, Unavailable) else here.altered
    found = compare_environments(packages, here.distributions, altered)
    if one.version != other.version or one.implementation != other.implementation:
        what = Inequality(_PYTHON, "version", python_of(one), python_of(other))
        return (what, *found)
    if one.build != other.build:
        return (Inequality(_PYTHON, "content", one.build, other.build), *found)
    return found


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
