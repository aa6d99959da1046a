"""What differs at the end of two runs and no numbers measure: a tolerance says nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.thread_pairs import Contents, contents_of

_WEIGHTS = ("trainable", "non_trainable", "state")
"""Groups that a tolerance measures; states of optimizers and generators it never does."""


def unmeasured_state(original: Trail, rerun: Trail) -> tuple[str, ...]:
    """Name the owners whose weights differ at the end and are not those that a fit ended with.

    What a ``fit`` or a watched loop trained has numbers there. A model that another loop trained,
    or that was changed after its last ``fit``, has digests only.
    """
    sides = contents_of(original), contents_of(rerun)
    owners = dict.fromkeys(_unmeasured(*sides))
    return tuple(
        f"{owner} differs at the end of the run, and nothing measures it" for owner in owners
    )


def _unmeasured(original: Contents, rerun: Contents) -> Iterator[str]:
    measured = _at_ends_of_fits(original), _at_ends_of_fits(rerun)
    for owner in dict.fromkeys((*original.state, *rerun.state)):
        left, right = (side.state.get(owner, []) for side in (original, rerun))
        if len(left) != len(right):
            yield owner
            continue
        for one, two in zip(left, right, strict=True):
            known = one[3] in measured[0] and two[3] in measured[1]
            if one != two and one[0] in _WEIGHTS and not known:
                yield owner


def _at_ends_of_fits(contents: Contents) -> frozenset[str]:
    return frozenset(leaf for moments in contents.moments.values() for leaf in moments[-1].leaves)
