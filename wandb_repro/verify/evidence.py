"""Reasons why equal digests do not prove two runs identical."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.compare_values import digests_in_order
from wandb_repro.verify.ending_diff import EndingComparison
from wandb_repro.verify.trail_diff import Comparison, algorithms_of
from wandb_repro.verify.undigested import undigested


class Side(NamedTuple):
    """One of the two runs."""

    who: str
    """As the subject of a sentence: ``the rerun``."""
    manifest: Manifest
    trail: Trail


def reasons_inconclusive(
    original: Side,
    rerun: Side,
    found: Comparison,
    *,
    whole: bool,
    ending: EndingComparison | None = None,
) -> tuple[str, ...]:
    """Return every reason why equal digests would not prove the runs identical.

    Args:
        original: the run that was repeated.
        rerun: the other run.
        found: what was compared.
        whole: whether the runs are compared to their end.
        ending: how they ended; by default from their records alone.
    """
    ending = ending or _ending_of(original, rerun)
    not_comparable = reasons_not_comparable(original, rerun, whole=whole, ending=ending)
    both = _undigested_by_both(original.trail, rerun.trail) if whole else ()
    untold = (*both, *_unknown_values(found))
    if whole and ending.rerun_failed:
        # What else is missing follows from that.
        return (*not_comparable, *untold)
    return (
        *_evidence(original.trail, rerun.trail, found, ending),
        *_other_data(original.manifest, rerun.manifest, whole=whole),
        *untold,
        *not_comparable,
    )


def reasons_not_comparable(
    original: Side, rerun: Side, *, whole: bool, ending: EndingComparison | None = None
) -> tuple[str, ...]:
    """Return every reason why two runs cannot be compared, whether their digests agree or not."""
    ending = ending or _ending_of(original, rerun)
    reasons: list[str] = []
    if run_name(original.manifest) == run_name(rerun.manifest):
        reasons.append("both are the same run")
    if _started(original.manifest) != _started(rerun.manifest):
        reasons.append("the rerun was started with another command")
    if whole:
        reasons += ending.reasons()
        reasons += [*_undigested(original), *_undigested(rerun)]
        if ending.alike:
            reasons += _fits(original.trail, rerun.trail)
    return tuple(reasons)


def _ending_of(original: Side, rerun: Side) -> EndingComparison:
    return EndingComparison((original.manifest, original.trail), (rerun.manifest, rerun.trail))


def _evidence(
    original: Trail, rerun: Trail, found: Comparison, ending: EndingComparison
) -> list[str]:
    if not found.digests and ending.stopped_alike:
        return [f"both ended with {ending.record.original} before any weights were digested"]
    if not found.digests:
        return [_nothing_compared(original, rerun)]
    if found.absent:
        return [f"the rerun has no digest of {_some(found.absent)}"]
    if not found.trained_moments:
        return ["no weights were compared after the first step of training"]
    return []


def _other_data(original: Manifest, rerun: Manifest, *, whole: bool) -> list[str]:
    """Return signs that the data differed although the weights are equal."""
    reasons: list[str] = []
    data_1, data_2 = original.description.data, rerun.description.data
    digests_1, digests_2 = digests_in_order(data_1), digests_in_order(data_2)
    for name in dict.fromkeys((*digests_1, *digests_2)):
        one, two = digests_1.get(name, ()), digests_2.get(name, ())
        unequal = [pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]]
        if any(isinstance(digest, Unavailable) for pair in unequal for digest in pair):
            reasons.append(f"the data {name!r} could not be compared: not both runs digested it")
        elif unequal:
            reasons.append(
                f"the weights are equal, but the data {name!r} differs from the original's "
                "fingerprint"
            )
        elif len(two) > len(one):
            reasons.append(_only_in("rerun", "original", name, len(one)))
        elif whole and len(one) > len(two):
            reasons.append(_only_in("original", "rerun", name, len(two)))
    return reasons


def _only_in(one: str, other: str, name: str, times: int) -> str:
    again = f"a {_ORDINALS.get(times + 1, f'{times + 1}th')} time " if times else ""
    return f"the {one} fingerprinted the data {name!r} {again}and the {other} did not"


_ORDINALS = {2: "second", 3: "third"}


def _undigested_by_both(original: Trail, rerun: Trail) -> list[str]:
    """Return what trained and was not compared, once if it is so in both runs."""
    reasons = {reason: f"in the original, {reason}" for reason in undigested(original)}
    for reason in undigested(rerun):
        reasons.setdefault(reason, f"in the rerun, {reason}")
    return list(reasons.values())


def _unknown_values(found: Comparison) -> list[str]:
    if not found.unknown:
        return []
    names = _some(tuple(sorted(found.unknown)))
    return [f"the values logged as {names} cannot be digested"]


def _nothing_compared(original: Trail, rerun: Trail) -> str:
    for who, trail in (("original", original), ("rerun", rerun)):
        if not any(weights.leaves for weights in trail.moments()):
            why = f": {trail.missing[0].reason}" if trail.missing else ""
            return f"the {who} has no digest of any weights{why}"
    names_1, names_2 = algorithms_of(original), algorithms_of(rerun)
    if names_1 and names_2 and names_1 != names_2:
        return (
            "the digests cannot be compared: the original used "
            f"{' and '.join(names_1)}, the rerun {' and '.join(names_2)}"
        )
    return "the two trails have no moment in common"


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _started(manifest: Manifest) -> object:
    """Return the command in a form that is comparable between two machines."""
    # Credentials are not recorded. Paths inside the source tree become relative to its root: a
    # rerun has its tree at a different path.
    command, code = manifest.execution.command, manifest.execution.code
    if isinstance(command, Unavailable):
        return None
    root = code.root if isinstance(code, Code) else ""
    arguments = [
        "" if position in command.redacted else _below_root(argument, root)
        for position, argument in enumerate(command.arguments)
    ]
    return command.kind, command.target, arguments


def _below_root(argument: str, root: str) -> str:
    name, equals, value = argument.partition("=")
    if not equals or name.startswith("/"):
        name, equals, value = "", "", argument
    if root and (value == root or value.startswith(f"{root}/")):
        return f"{name}{equals}TREE{value[len(root) :]}"
    return argument


def _undigested(side: Side) -> list[str]:
    return [
        f"{side.who} has no digest at {missing.moment} of epoch {missing.epoch}: {missing.reason}"
        for missing in side.trail.missing
        # A model that ``fit`` builds has no initial weights to digest.
        if missing.moment != "initial"
    ]


def _fits(original: Trail, rerun: Trail) -> list[str]:
    if original.end is None or rerun.end is None or original.end.fits == rerun.end.fits:
        return []
    return [
        f"the original called fit {original.end.fits} times and the rerun {rerun.end.fits} times"
    ]
