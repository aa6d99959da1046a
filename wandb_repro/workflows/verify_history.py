"""Compares the history that W&B has of a run with what the run logged."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.errors import InconclusiveError
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.store.local import check_intact, read_manifest, read_trail
from wandb_repro.store.locate import Located
from wandb_repro.store.stored_history import read_history
from wandb_repro.verify.history_diff import HistoryComparison
from wandb_repro.verify.history_rows import last_step
from wandb_repro.verify.history_verdict import HistoryVerdict


def verify_history(located: Located, scratch: Path) -> HistoryVerdict:
    """Return whether W&B has every value that a run logged, and nothing else.

    Args:
        located: the run's capsule, on W&B or on this disk.
        scratch: an empty folder.

    Raises:
        InconclusiveError: the run was offline, or its record has no rows.
        ReproError: the record is invalid, or W&B cannot be read.
    """
    manifest = read_manifest(located.capsule)
    address = _address(located, manifest)
    check_intact(located.capsule, manifest)
    trail = read_trail(located.capsule)
    comparison = HistoryComparison(trail)
    read = read_history(address, scratch, last_step(trail), comparison.take)
    is_running = read.state in ("pending", "running")
    return comparison.verdict(
        run_name(manifest), is_running=is_running, without_step=read.without_step
    )


def _address(located: Located, manifest: Manifest) -> str:
    if located.found is not None:
        return located.found.path
    page = manifest.run.url
    if manifest.run.offline or not isinstance(page, str):
        raise InconclusiveError(
            "This run was recorded offline, so its record names no page on W&B.",
            hint="Upload it with `wandb sync`, then name it ENTITY/PROJECT/ID.",
        )
    return page
