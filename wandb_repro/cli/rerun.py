"""``rerun``: reruns a recorded training and verifies it."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from wandb_repro.cli.common import (
    Output,
    answers,
    check_new_folder,
    error_data,
    json_option,
    packages_option,
    scratch_folder,
    show_error,
)
from wandb_repro.cli.prepare import prepare_folder, refuse_training_options
from wandb_repro.cli.shared_options import set_option, switches_of, tolerance_of, tolerance_options
from wandb_repro.errors import RefusedError, ReproError, UsageError
from wandb_repro.manifest.manifest import run_name
from wandb_repro.recording.card import page_reproduced
from wandb_repro.report.plan import begins_with, inequality_sentence, plan_text
from wandb_repro.report.plan_data import plan_data
from wandb_repro.report.reproduced import attempt_of, reproduced_line
from wandb_repro.report.verdict import verdict_text
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.local import read_manifest
from wandb_repro.store.locate import locate
from wandb_repro.store.write_back import note_attempt, replace_card
from wandb_repro.verify.segment import After
from wandb_repro.workflows.bisect import narrow
from wandb_repro.workflows.prepare_rerun import Prepared, name_work_folder, prepare
from wandb_repro.workflows.rerun import Outcome, carry_out, clean
from wandb_repro.workflows.rerun_options import RerunOptions

_POSITIVE = click.IntRange(min=1)


@click.command("rerun")
@click.argument("run")
@click.option("--yes", is_flag=True, help="Run the recorded code without asking.")
@click.option("--dry-run", is_flag=True, help="Print the plan only; run nothing.")
@click.option(
    "--env",
    "environment",
    default="auto",
    metavar="auto|here|rebuild|PYTHON",
    help="Use the current environment if it equals the recorded one, else rebuild it (auto); "
    "use the current one (here), a new one (rebuild), or that of an interpreter.",
)
@click.option(
    "--python",
    "base_python",
    type=click.Path(path_type=Path),
    help="Rebuild with this interpreter instead of the recorded version.",
)
@click.option(
    "--no-cache",
    "use_cache",
    flag_value=False,
    default=True,
    help="Build a new environment even if one is cached, and do not cache it.",
)
@click.option("--keep-going", is_flag=True, help="Continue training after the first difference.")
@click.option(
    "--from-epoch",
    metavar="N|FIT:N",
    help="Replay from the checkpoint of epoch N up to the next one. FIT:N is of a later fit, "
    "N 0 its start: fits before it are skipped, not trained and not compared.",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Path of the checkpoint (checkpoints of earlier fits: same folder).",
)
@click.option("--until-epoch", type=_POSITIVE, metavar="N", help="Verify only the first N epochs.")
@click.option("--until-step", type=_POSITIVE, metavar="N", help="Verify only the first N steps.")
@click.option(
    "--threads",
    type=_POSITIVE,
    metavar="N",
    help="Intra-op threads instead of the recorded number.",
)
@set_option
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="N=VALUE",
    help="A credential that was removed from argument N.",
)
@click.option(
    "--data",
    "places",
    multiple=True,
    metavar="NAME=PATH",
    help="Where fingerprinted data is now. Repeatable.",
)
@click.option("--allow-missing", is_flag=True, help="Run without files that the original read.")
@packages_option
@click.option("--allow-outputs", is_flag=True, help="Let it publish artifacts and alerts.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="New folder to rerun in.")
@click.option(
    "--keep/--clean",
    "keep",
    default=True,
    show_default=True,
    help="After the verdict, keep the rerun's environment, code and downloads, or delete them; "
    "its record stays.",
)
@click.option(
    "--bisect",
    is_flag=True,
    help="If only epochs were recorded, run the one that differs again to find its step.",
)
@click.option(
    "--prepare",
    "prepared_folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Run nothing: export to DIR and build the environment there, for DIR/rerun.sh to run "
    "with neither a network nor a terminal.",
)
@click.option(
    "--write-back",
    is_flag=True,
    help="Write to the original run on W&B whether and where it was reproduced.",
)
@tolerance_options
@json_option
@answers
def command(
    run: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
    folder: Path | None,
    prepared_folder: Path | None,
    arguments: tuple[str, ...],
    places: tuple[str, ...],
    from_epoch: str | None,
    rtol: float | None,
    metrics: tuple[str, ...],
    sets: tuple[str, ...],
    keep: bool,
    bisect: bool,
    write_back: bool,
    packages: str,
    **options: Any,
) -> int:
    """Rebuild RUN's code and environment in a new folder, run it again, and verify it live."""
    output = Output(as_json=as_json)
    tolerance = tolerance_of(rtol, metrics)
    if prepared_folder is not None:
        refuse_training_options(click.get_current_context())
        return prepare_folder(
            run,
            prepared_folder,
            options["base_python"],
            output,
            which=packages,
            use_cache=options["use_cache"],
        )
    with scratch_folder() as scratch:
        located = locate(run, scratch)
        wanted = RerunOptions(
            values=_values(arguments),
            data=_places(places),
            from_epoch=_after(from_epoch),
            tolerance=tolerance,
            sets=switches_of(sets),
            all_packages=packages == "all",
            **options,
        )
        run_id = read_manifest(located.capsule).run.id
        work = check_new_folder(folder) if folder else name_work_folder(run_id)
        prepared = prepare(located.capsule, work, wanted, found=located.found)
        if not _agreed(prepared, output, yes=yes, dry_run=dry_run):
            return 0
        outcome = _carried_out(prepared, output, bisect=bisect, keep=keep)
        if write_back:
            _write_back(prepared, outcome, located.found, output)
    _report(outcome, output)
    return outcome.verdict.exit_code


def _carried_out(prepared: Prepared, output: Output, *, bisect: bool, keep: bool) -> Outcome:
    """Carry out a rerun, and print where its files are, even if it fails.

    Unless it fails, ``keep=False`` deletes what can be rebuilt.
    """
    work = prepared.plan.work
    try:
        outcome = carry_out(prepared, output.progress)
        found = narrow(prepared, outcome, output.progress) if bisect else None
        if not keep:
            clean(work)
        verdict = outcome.verdict.model_copy(update={"bisection": found})
        return replace(outcome, verdict=verdict)
    finally:
        if work.is_dir():
            output.progress(f"Rerun files: {work}")


def _write_back(
    prepared: Prepared, outcome: Outcome, found: RemoteRun | None, output: Output
) -> None:
    """Note the rerun on the original. A failure is reported and does not affect the verdict."""
    if found is None:
        output.progress("Not written back: the original is not on W&B")
        return
    rerun = read_manifest(outcome.capsule)
    attempt = attempt_of(outcome.verdict.grade, prepared.manifest, rerun)
    try:
        line = note_attempt(found.path, rerun.run.id, attempt, reproduced_line)
    except ReproError as error:
        output.progress(f"Not written back: {error.message}")
        return
    output.progress(f"Written back to {found.path}: {line}")
    try:
        replace_card(found.path, partial(page_reproduced, found.capsule.folder, line))
    except ReproError as error:
        output.progress(f"The card was not updated: {error.message}")


def _values(arguments: tuple[str, ...]) -> dict[int, str]:
    pairs = [argument.partition("=") for argument in arguments]
    for position, equals, _ in pairs:
        if not (position.isascii() and position.isdecimal() and equals):
            raise UsageError("--arg takes N=VALUE, with the position N from `show`.")
    return {int(position): value for position, _, value in pairs}


def _after(text: str | None) -> After | None:
    if text is None:
        return None
    match = re.fullmatch(r"(?:([1-9][0-9]{0,8}):)?([0-9]{1,9})", text, re.ASCII)
    after = After(int(match[2]), int(match[1] or 1)) if match else None
    if after is None or (after.fit == 1 and not after.epoch):
        raise UsageError(
            f"--from-epoch {text} is neither N, an epoch of the first fit from 1 on, nor FIT:N.",
            hint="3 begins after epoch 3 of the first fit, 2:3 after epoch 3 of the second, and "
            "2:0 at the start of the second.",
        )
    return after


def _places(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, path in pairs:
        if not (name and equals and path):
            raise UsageError("--data takes NAME=PATH, with a NAME that `show` lists under Data.")
    return {name: str(Path(path).absolute()) for name, _, path in pairs}


def _agreed(prepared: Prepared, output: Output, *, yes: bool, dry_run: bool) -> bool:
    what = run_name(prepared.manifest), prepared.plan, prepared.choice
    who, sets, begins = prepared.recorded_by, prepared.sets, begins_with(prepared.segment)
    text = plan_text(*what, recorded_by=who, sets=sets, begins=begins)
    if dry_run:
        output.report(text, plan_data(*what, recorded_by=who, sets=sets, begins=begins))
        return False
    output.tell(text)
    if yes:
        return True
    if not sys.stdin.isatty():
        raise RefusedError(
            "No terminal to confirm on.", hint="Review the plan above and pass --yes."
        )
    if not output.agree("Run it?"):
        raise RefusedError("Cancelled; nothing was run.")
    return True


def _report(outcome: Outcome, output: Output) -> None:
    data = {
        **outcome.verdict.model_dump(mode="json"),
        "environment": [inequality_sentence(unequal) for unequal in outcome.inequalities],
        "notes": list(outcome.notes),
        "capsule": str(outcome.capsule.folder),
        "url": outcome.url,
        "work": str(outcome.work),
        **(error_data(outcome.failure) if outcome.failure else {}),
    }
    output.report(verdict_text(outcome.verdict), data)
    if outcome.failure:
        show_error(outcome.failure)
