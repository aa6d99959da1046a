"""Why equal digests may still not prove two runs identical."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.compare_values import digests_by_name
from wandb_repro.verify.trail_diff import Comparison, algorithms_of

__all__ = ["Side", "reasons_inconclusive", "reasons_not_comparable"]


class Side(NamedTuple):
    """One of the two runs."""

    who: str
    manifest: Manifest
    trail: Trail


def reasons_inconclusive(
    one: Side, two: Side, found: Comparison, *, whole: bool
) -> tuple[str, ...]:
    """Return every reason why equal digests would still not prove the runs identical."""
    return (
        *_evidence(one.trail, two.trail, found),
        *_other_data(one.manifest, two.manifest, found),
        *reasons_not_comparable(one, two, whole=whole),
    )


def reasons_not_comparable(one: Side, two: Side, *, whole: bool) -> tuple[str, ...]:
    """Return every reason why two runs cannot be held against each other, equal digests or not."""
    reasons = [*_same_run(one.manifest, two.manifest), *_command(one.manifest, two.manifest)]
    if whole:
        reasons += [*_ending(one), *_ending(two), *_undigested(one), *_undigested(two)]
        reasons += _fits(one.trail, two.trail)
    return tuple(reasons)


def _evidence(one: Trail, two: Trail, found: Comparison) -> list[str]:
    if not found.digests:
        return [_nothing_compared(one, two)]
    if found.absent:
        return [f"the rerun holds no digest of {_some(found.absent)}"]
    if not found.trained_moments:
        return ["no weights were compared after the first step of training"]
    return []


def _other_data(one: Manifest, two: Manifest, found: Comparison) -> list[str]:
    """Return what was trained on other data, although no weight shows it."""
    reasons: list[str] = []
    if found.other_batches:
        reasons.append(f"the weights are equal, but not the batches up to {found.other_batches}")
    mine, yours = one.description.data, two.description.data
    if not isinstance(mine, Unavailable) and not isinstance(yours, Unavailable):
        theirs = digests_by_name(yours)
        reasons += [
            f"the weights are equal, but the data {name!r} is not what the original fingerprinted"
            for name, digest in digests_by_name(mine).items()
            if theirs.get(name, digest) != digest
        ]
    return reasons


def _nothing_compared(one: Trail, two: Trail) -> str:
    for who, trail in (("original", one), ("rerun", two)):
        if not any(weights.leaves for weights in trail.moments()):
            why = f": {trail.missing[0].reason}" if trail.missing else ""
            return f"the {who} holds no digest of any weights{why}"
    mine, yours = algorithms_of(one), algorithms_of(two)
    if mine and yours and mine != yours:
        return (
            f"the digests were made by different algorithms, {' and '.join(mine)} in the original "
            f"and {' and '.join(yours)} in the rerun, and cannot be compared"
        )
    return "the two trails have no moment in common"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _same_run(one: Manifest, two: Manifest) -> list[str]:
    if run_name(one) == run_name(two):
        return ["both are one and the same run, which always equals itself"]
    return []


def _command(one: Manifest, two: Manifest) -> list[str]:
    if _started(one) == _started(two):
        return []
    return ["the rerun was started by another command"]


def _started(manifest: Manifest) -> object:
    """Return what was started, without credentials: these are not in the record.

    A path below the tree is told from the tree's top: a rerun has its tree elsewhere.
    """
    command, code = manifest.execution.command, manifest.execution.code
    if isinstance(command, Unavailable):
        return None
    root = code.root if isinstance(code, Code) else ""
    arguments = [
        "" if place in command.redacted else _from_top(argument, root)
        for place, argument in enumerate(command.arguments)
    ]
    return command.kind, command.target, arguments


def _from_top(argument: str, root: str) -> str:
    name, equals, value = argument.partition("=")
    if not equals or name.startswith("/"):
        name, equals, value = "", "", argument
    if root and (value == root or value.startswith(f"{root}/")):
        return f"{name}{equals}TREE{value[len(root) :]}"
    return argument


def _ending(side: Side) -> list[str]:
    end = side.trail.end
    if end is None or side.trail.torn:
        how = "has no end record: it was killed or is still running"
    elif end.status != "finished":
        how = f"did not finish: it {_HOW[end.status]}"
    else:
        return []
    return [f"{side.who} {how}; its first epochs can be compared with --until-epoch"]


_HOW = {"interrupted": "was interrupted", "failed": "ended with an error"}


def _undigested(side: Side) -> list[str]:
    """Return the moments that could not be digested; a model built by fit has no first one."""
    return [
        f"{side.who} has no digest at {missing.moment} of epoch {missing.epoch}: {missing.reason}"
        for missing in side.trail.missing
        if missing.moment != "initial"
    ]


def _fits(one: Trail, two: Trail) -> list[str]:
    if one.end is None or two.end is None or one.end.fits == two.end.fits:
        return []
    return [f"the original called fit {one.end.fits} times and the rerun {two.end.fits} times"]
