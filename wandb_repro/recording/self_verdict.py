"""What a rerun came to: its own verdict, given by the process that trained."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge

__all__ = ["Outcome", "outcome_of"]


class Outcome(NamedTuple):
    """A verdict, and how much there was to compare."""

    verdict: Verdict
    original_moments: int
    """Moments that the original recorded."""


def outcome_of(request: RerunRequest, manifest: Manifest, capsule: Capsule) -> Outcome:
    """Return the verdict of the rerun that this manifest and capsule are of.

    Raises:
        ManifestError: a record cannot be read.
        TrailError: a trail cannot be read.
    """
    original = Capsule(Path(request.capsule))
    theirs = read_trail(original)
    verdict = judge(
        read_manifest(original),
        theirs,
        manifest,
        read_trail(capsule),
        Limit.of_request(request),
        tolerance=Tolerance(request.rtol, request.metrics),
    )
    return Outcome(verdict, len(theirs.weights))
