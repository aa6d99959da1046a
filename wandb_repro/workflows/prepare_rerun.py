"""A rerun, thought through: the capsule is read and nothing is executed or written."""

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
from wandb_repro.rerun.found_inputs import find_inputs
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
    """A rerun that was thought through, and of which nothing has been done."""

    capsule: Capsule
    manifest: Manifest
    plan: Plan
    choice: Choice
    options: RerunOptions
    whose: str
    """Who vouches for it: W&B, or nobody."""
    sets: Mapping[str, str]
    """Environment variables that will not be as they are today."""
    segment: Segment | None = None
    """What of the training is replayed; None: it begins at its start."""

    @property
    def limit(self) -> Limit:
        """What of the two trainings is compared."""
        options = self.options
        if self.segment is None:
            return Limit(options.until_epoch, options.until_step)
        return self.segment.limit(options.until_step)


def prepare(
    capsule: Capsule, work: Path, options: RerunOptions, *, found: RemoteRun | None = None
) -> Prepared:
    """Read the capsule and return what would be done. Nothing is executed or written.

    Args:
        capsule: of the run.
        work: new folder for the rerun.
        options: what the person chose.
        found: the run as W&B knows it, where the capsule is from there.

    Raises:
        ReproError: it cannot be rerun; the sentence says why.
    """
    manifest = _as_found(read_manifest(capsule), found)
    trail = read_trail(capsule)  # one that cannot be believed is refused before anything is built
    segment = find_segment(trail, options)
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
        work=work,
        use_cache=options.use_cache,
        everything=options.all_packages,
    )
    sets = variables_set(plan, os.environ, rebuilt=choice.ignores_python_path)
    return Prepared(capsule, manifest, plan, choice, options, whose_it_is(found), sets, segment)


def whose_it_is(found: RemoteRun | None) -> str:
    """Return who recorded a capsule, as W&B knows it: what it says itself, anybody can write."""
    if found is None:
        return "unknown (a local folder)"
    server = urlsplit(found.url).netloc or "the server"
    who = found.user if isinstance(found.user, str) else "an unknown user"
    return f"{who}, as run {found.path} (reported by W&B at {server}, not verified)"


def _cells(manifest: Manifest, capsule: Capsule) -> Cells | None:
    command = manifest.execution.command
    file = command.cells if isinstance(command, Command) else None
    return read_cells(capsule, file) if isinstance(file, CellsFile) else None


def _as_found(manifest: Manifest, found: RemoteRun | None) -> Manifest:
    """Return the manifest with the name and place that its run has on W&B now.

    One that was recorded offline and synced since did not know it, and is not offline any more:
    neither is its rerun.
    """
    if found is None:
        return manifest
    now = {
        "id": found.id,
        "name": found.name,
        "entity": found.entity,
        "project": found.project,
        "url": found.url,
        "offline": False,
    }
    return manifest.model_copy(update={"run": manifest.run.model_copy(update=now)})


def name_work_folder(run_id: str) -> Path:
    """Return where a rerun may be done, beside W&B's own folders: no snapshot takes it along.

    Nothing is made yet.
    """
    parent = Path(os.environ.get("WANDB_DIR", "."), "wandb").resolve()
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in run_id)
    return parent / f"rerun-{safe[:64]}-{secrets.token_hex(4)}"
