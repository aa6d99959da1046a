"""``audit``: the status of all runs of a project, and whether each keeps the rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.errors import ReproError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.options import combined
from wandb_repro.report.project_status import project_status_data, project_status_text
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.store.locate import looks_like_path
from wandb_repro.store.project import Projected, ProjectRun, local_runs, read_project
from wandb_repro.verify.project_status import (
    RunStatus,
    exit_code_of,
    project_status,
    run_status,
    status_without_record,
)
from wandb_repro.verify.rules import RULES, check_rules

_LAST = 1000


@click.command("audit")
@click.argument("project")
@click.option(
    "--require",
    multiple=True,
    metavar="RULE",
    help=f"Also require this of every run; repeatable. Rules: {', '.join(RULES)}.",
)
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=_LAST,
    show_default=True,
    help="Read only the newest N runs.",
)
@json_option
@answers
def command(project: str, require: tuple[str, ...], last: int, as_json: bool) -> int:
    """Show for each run of PROJECT: repeatable? reproduced? what is missing?

    PROJECT is ENTITY/PROJECT, the URL of its page, or a folder of runs such as ./wandb. The
    rules are those of `require` in [tool.wandb_repro] of pyproject.toml, and of --require. Exits
    with 1 if a run breaks one, else with 3 if a run could not be read.
    """
    output = Output(as_json=as_json)
    # Strict: a typo in the project's rules must not let every run pass.
    rules = check_rules((*combined({"strict": True}, folder=Path.cwd()).require, *require))
    found: list[RunStatus] = []
    with output.bar("Reading runs") as advance:

        def each(read: Projected) -> None:
            found.append(_status(read.run, rules))
            advance(read.total)

        if Path(project).is_dir() or looks_like_path(project):
            total = _local(Path(project), last, each)
        else:
            with scratch_folder() as scratch:
                total = read_project(project, scratch, last, each)
    runs = project_status(found, rules)
    output.report(
        project_status_text(project, runs, rules, total),
        project_status_data(project, runs, rules, total),
    )
    return exit_code_of(runs)


def _local(folder: Path, last: int, each: Callable[[Projected], None]) -> int:
    """Read the runs of a folder, the newest first, and return how many it has."""
    total = 0
    for index, read in enumerate(local_runs(folder)):
        total = read.total
        if index == last:
            break
        each(read._replace(total=min(last, total)))
    return total


def _status(run: ProjectRun, rules: tuple[str, ...]) -> RunStatus:
    try:
        if not isinstance(run.capsule, Unavailable):
            return run_status(
                run.path,
                read_manifest(run.capsule),
                read_trail(run.capsule),
                rules,
                name=run.name,
                state=run.state,
                verdict=run.verdict,
                attempts=run.attempts,
            )
        why = str(run.capsule)
    except (ReproError, OSError) as error:
        why = str(error).rstrip(".")
    return status_without_record(
        run.path, rules, name=run.name, state=run.state, why=why, recorded=run.recorded
    )
