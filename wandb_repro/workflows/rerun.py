"""A rerun from beginning to end: restore, rebuild, train, judge."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

from wandb_repro.errors import InconclusiveError, TrainingFailedError
from wandb_repro.manifest.manifest import run_name
from wandb_repro.manifest.request import RerunRequest
from wandb_repro.report.plan import inequality_sentence
from wandb_repro.report.text import count
from wandb_repro.rerun.environment.build import Rebuilt
from wandb_repro.rerun.environment.bytecode import keep_bytecode
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.interpreter import find_python
from wandb_repro.rerun.environment.provide import Provided, Say, Wanted, provide
from wandb_repro.rerun.execute import STANDARD_ERROR, Child, train
from wandb_repro.rerun.fill_folder import restore_code
from wandb_repro.rerun.plan import Plan
from wandb_repro.rerun.restored_data import check_restored
from wandb_repro.store.artifact import download_artifact
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest
from wandb_repro.verify.verdict import Verdict
from wandb_repro.workflows.failed_rerun import (
    ends_outside_its_run,
    failure_of,
    verdict_on_process,
)
from wandb_repro.workflows.prepare_rerun import Prepared
from wandb_repro.workflows.stored_code import added_bundle, bundle_of
from wandb_repro.workflows.verify_capsules import verify_capsules

_DOWNLOADS = "artifacts"
"""Folder of downloaded data in a rerun's folder."""


@dataclass(frozen=True)
class Outcome:
    """A finished rerun."""

    verdict: Verdict
    capsule: Capsule
    """Of the rerun."""
    work: Path
    url: str
    """Page of the rerun; empty offline."""
    inequalities: tuple[Inequality, ...]
    notes: tuple[str, ...]
    failure: TrainingFailedError | None = None
    """Why the verdict is only on a part: the rerun failed where the original did not."""


def carry_out(prepared: Prepared, say: Say, *, output: int = STANDARD_ERROR) -> Outcome:
    """Restore, rebuild, train and judge.

    Args:
        prepared: the rerun, which the user confirmed.
        say: called with each step, a few words.
        output: file descriptor for what the training prints.

    Raises:
        ReproError: it could not be rebuilt, or the training failed before it recorded anything.
    """
    plan, code = prepared.plan, prepared.plan.parts.code
    with _new_work_folder(plan.work):
        say(f"Restoring {count(code.files, 'file')}, tree {code.tree[:12]}")
        restore_code(plan, bundle_of(prepared.capsule, code), added_bundle(prepared.capsule, code))
        if not prepared.options.allow_missing:
            _check_data(plan, say)
        provided = _environment(prepared, say)
        request = _request(prepared)
    say("Training")
    child = train(
        plan,
        provided.built.python,
        request,
        rebuilt=prepared.choice.ignores_python_path,
        output=output,
    )
    if provided.cached is not None and not child.returncode:
        keep_bytecode(provided.cached, plan.environment_folder)
    outcome = _judge(prepared, child, provided.built)
    note = ends_outside_its_run(outcome.verdict, child.returncode)
    if note:
        say(f"Note: {note}")
        outcome = replace(outcome, notes=(*outcome.notes, note))
    return outcome


def clean(work: Path) -> None:
    """Delete a rerun's environments, restored trees and downloads; its records stay."""
    # Those that --bisect started have folders of the same kind inside.
    for folder in (work, *work.glob("bisect-*")):
        for name in ("env", "tree", _DOWNLOADS):
            shutil.rmtree(folder / name, ignore_errors=True)


def _check_data(plan: Plan, say: Say) -> None:
    def fetch(version: str, folder: Path) -> Path:
        say(f"Downloading {version}")
        return download_artifact(version, folder)

    downloads = plan.work / _DOWNLOADS
    check_restored(plan.inputs.data, plan.code, fetch, within=plan.tree_folder, downloads=downloads)


@contextlib.contextmanager
def _new_work_folder(work: Path) -> Generator[None]:
    """Make the work folder; delete it again if it cannot be filled."""
    parent_existed = work.parent.exists()
    work.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        if not parent_existed:
            with contextlib.suppress(OSError):
                work.parent.rmdir()
        raise


def _environment(prepared: Prepared, say: Say) -> Provided:
    choice, plan = prepared.choice, prepared.plan
    if choice.python is not None:
        return Provided(Rebuilt(choice.python, choice.inequalities, ()))
    packages = choice.needed.packages if choice.needed else plan.parts.packages
    base = choice.base or find_python(packages.interpreter)
    wanted = Wanted(packages, prepared.capsule.wheels, base)
    use_cache = prepared.options.use_cache
    provided = provide(wanted, plan.environment_folder, say, use_cache=use_cache)
    built = provided.built
    for sentence in (*map(inequality_sentence, built.inequalities), *built.notes):
        say(f"Not as in the original: {sentence}")
    return provided


def _request(prepared: Prepared) -> RerunRequest:
    options, plan, segment = prepared.options, prepared.plan, prepared.segment
    return RerunRequest(
        capsule=str(prepared.capsule.folder.resolve()),
        original=run_name(prepared.manifest),
        code_root=str(plan.code),
        whereabouts=str(plan.work / "whereabouts.json"),
        keep_going=options.trains_on,
        until_epoch=prepared.limit.epoch,
        until_step=options.until_step,
        from_epoch=segment.after if segment else None,
        from_fit=segment.fit if segment else 1,
        beginnings=segment.beginnings if segment else (),
        allow_outputs=options.allow_outputs,
        steps_fit=options.steps_of[0] if options.steps_of else None,
        steps_after_epoch=options.steps_of[1] if options.steps_of else 0,
        rtol=options.tolerance.rtol,
        metrics=dict(options.tolerance.metrics),
    )


def _judge(prepared: Prepared, child: Child, built: Rebuilt) -> Outcome:
    recorded = child.whereabouts
    if recorded is None:
        if child.returncode:
            raise failure_of(prepared, child.returncode)
        raise InconclusiveError(
            "The script ended without recording anything, so there is nothing to compare.",
            hint="It must call wandb_repro.init, or have been recorded by wandb-repro run.",
        )
    capsule = Capsule(Path(recorded.capsule))
    verdict = verify_capsules(prepared.capsule, capsule, prepared.limit, prepared.options.tolerance)
    code = child.returncode
    verdict = verdict_on_process(verdict, read_manifest(capsule), code)
    failed = verdict.exit_code == TrainingFailedError.exit_code
    return Outcome(
        verdict,
        capsule,
        prepared.plan.work,
        recorded.url,
        built.inequalities,
        built.notes,
        failure=failure_of(prepared, code) if failed else None,
    )
