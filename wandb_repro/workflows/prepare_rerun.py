"""Prepares a rerun: reads the capsule; nothing is executed or written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wandb_repro.manifest.command import Cells, CellsFile, Command
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.child_environment import variables_set
from wandb_repro.rerun.environment.select import Choice, choose
from wandb_repro.rerun.found_inputs import FoundInputs, find_inputs
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.segment import Segment
from wandb_repro.workflows.find_checkpoints import find_segment
from wandb_repro.workflows.rerun_options import RerunOptions
from wandb_repro.workflows.stored_code import check_stored


@dataclass(frozen=True)
class Prepared:
    """A rerun that was prepared and not started."""

    capsule: Capsule
    manifest: Manifest
    plan: Plan
    choice: Choice
    options: RerunOptions
    recorded_by: str
    """Who recorded it, as W&B reports it."""
    sets: Mapping[str, str]
    """Environment variables that the rerun changes."""
    segment: Segment | None = None
    """The part of the training that is replayed; None: from its start."""

    @property
    def limit(self) -> Limit:
        """The part of the two trainings that is compared."""
        options = self.options
        if self.segment is None:
            return Limit(options.until_epoch, options.until_step)
        return self.segment.limit(options.until_step)


def prepare(
    capsule: Capsule,
    work: Path,
    options: RerunOptions,
    *,
    found: RemoteRun | None = None,
    inputs: FoundInputs | None = None,
) -> Prepared:
    """Read the capsule and return what a rerun would do. Nothing is executed or written.

    Args:
        capsule: of the run.
        work: new folder for the rerun.
        options: the user's.
        found: the run on W&B, if the capsule was downloaded.
        inputs: the original's input files, if they were looked for already.

    Raises:
        ReproError: it cannot be rerun; the message says why.
    """
    manifest = _with_name_on_wandb(read_manifest(capsule), found)
    trail = read_trail(capsule)  # an invalid one is refused before anything is built
    segment = find_segment(trail, options)
    if inputs is None:
        inputs = find_inputs(manifest, parts_of(manifest).code, options.data)
    plan = make_plan(
        manifest,
        work,
        inputs,
        threads=options.threads,
        sets=options.sets,
        values=options.values,
        allow_missing=options.allow_missing,
        cells=_cells(manifest, capsule),
    )
    check_stored(capsule, plan.parts.code)
    choice = choose(
        plan.parts.packages,
        capsule.wheels,
        options.environment,
        options.base_python,
        use_cache=options.use_cache,
        everything=options.all_packages,
    )
    sets = variables_set(plan, os.environ, rebuilt=choice.ignores_python_path)
    return Prepared(capsule, manifest, plan, choice, options, recorded_by(found), sets, segment)


def recorded_by(found: RemoteRun | None) -> str:
    """Return who recorded a capsule, as W&B reports it: the capsule proves nothing."""
    if found is None:
        return "unknown (a local folder)"
    server = urlsplit(found.url).netloc or "the server"
    who = found.user if isinstance(found.user, str) else "an unknown user"
    return f"{who}, as run {found.path} (reported by W&B at {server}, not verified)"


def _cells(manifest: Manifest, capsule: Capsule) -> Cells | None:
    command = manifest.execution.command
    file = command.cells if isinstance(command, Command) else None
    return read_cells(capsule, file) if isinstance(file, CellsFile) else None


def _with_name_on_wandb(manifest: Manifest, found: RemoteRun | None) -> Manifest:
    if found is None:
        return manifest
    # A run that was recorded offline and synced later has no such name in its record. Its rerun
    # goes online, as the run itself did in the end.
    names = ("id", "name", "entity", "project", "url")
    now = {"offline": False, **{name: getattr(found, name) for name in names}}
    return manifest.model_copy(update={"run": manifest.run.model_copy(update=now)})


def name_work_folder(run_id: str) -> Path:
    """Return a new path for a rerun's folder."""
    # Snapshots leave out W&B's folder, so that none contains an earlier rerun.
    parent = Path(os.environ.get("WANDB_DIR", "."), "wandb").resolve()
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in run_id)
    return parent / f"rerun-{safe[:64]}-{secrets.token_hex(4)}"
