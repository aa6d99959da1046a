"""What a comparison of two trails covers, and what it does not."""

from __future__ import annotations

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Resumed, Trainable
from wandb_repro.verify.outcome import Coverage
from wandb_repro.verify.output_diff import ComparedFiles, output_differences
from wandb_repro.verify.trail_diff import Comparison, compare, holds_run
from wandb_repro.verify.undigested import undigested

_OLD_FORMAT = "the history and the state at the end: a trail of an older format lacks them"


def coverage_of(original: Trail, rerun: Trail, found: Comparison) -> Coverage:
    """Return what was compared of an original, and what was not."""
    inventory = original.inventory
    things = [thing for thing in (inventory.things if inventory else ()) if not thing.missing]
    optimizers = [thing for thing in things if thing.kind == "optimizer"]
    steps = sum(thing.steps or 0 for thing in optimizers)
    old = [] if holds_run(original) and holds_run(rerun) else [_OLD_FORMAT]
    if any(next(trail.of(Resumed), None) for trail in (original, rerun)):
        old.append("logged rows: a run that resumed has only those after its checkpoint")
    return Coverage(
        models=_number(things, "model"),
        optimizers=len(optimizers),
        steps=steps if inventory else None,
        loop_steps=0 if steps else _steps_of_loops(original),
        other_state=sum(
            thing.variables if thing.kind == "variables" else 1
            for thing in things
            if thing.kind not in ("model", "optimizer")
        ),
        rows=found.rows,
        keys=len(found.keys),
        volatile=tuple(sorted(found.volatile)),
        not_compared=(*old, *undigested(original), *sorted(found.unknown)),
    )


def coverage_of_record(manifest: Manifest, trail: Trail) -> Coverage:
    """Return what a rerun of this run that repeats it would cover."""
    names = volatile_names(manifest)
    covers = coverage_of(trail, trail, compare(trail, trail, volatile=names))
    return with_files(covers, output_differences(manifest, manifest, names))


def volatile_names(manifest: Manifest) -> tuple[str, ...]:
    """Return the names that the script or its project says differ in every run."""
    names = manifest.description.volatile
    return () if isinstance(names, Unavailable) else names


def with_files(covers: Coverage, files: ComparedFiles) -> Coverage:
    """Return the coverage with what was compared of the files that two runs saved."""
    return covers.model_copy(
        update={
            "files": files.compared,
            "volatile": (*covers.volatile, *files.volatile),
            "not_compared": (*covers.not_compared, *files.unknown, *files.not_recorded),
        }
    )


def _steps_of_loops(trail: Trail) -> int:
    """Return the steps of all fits and loops, as far as one of their digests counts them."""
    steps: dict[int, int] = {}
    for weights in trail.moments():
        steps[weights.fit] = max(weights.step, steps.get(weights.fit, 0))
    return sum(steps.values())


def _number(things: list[Trainable], kind: str) -> int:
    return sum(thing.kind == kind for thing in things)
