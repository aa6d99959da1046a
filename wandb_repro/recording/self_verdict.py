"""The verdict of a rerun on itself, computed by the process that trained."""

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


class Outcome(NamedTuple):
    """A verdict, and the number of moments that the original recorded."""

    verdict: Verdict
    original_moments: int


def outcome_of(request: RerunRequest, manifest: Manifest, capsule: Capsule) -> Outcome:
    """Return the verdict on the rerun with this manifest and this capsule.

    Raises:
        ManifestError: a record cannot be read.
        TrailError: a trail cannot be read.
    """
    original = Capsule(Path(request.capsule))
    original_trail = read_trail(original)
    verdict = judge(
        read_manifest(original),
        original_trail,
        manifest,
        read_trail(capsule),
        Limit.of_request(request),
        tolerance=Tolerance(request.rtol, request.metrics),
    )
    return Outcome(verdict, len(original_trail.weights))
