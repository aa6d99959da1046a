"""``verify``: the verdict on two finished runs, or on the history that W&B has of one."""

from __future__ import annotations

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.cli.shared_options import tolerance_of, tolerance_options
from wandb_repro.errors import UsageError
from wandb_repro.report.history_verdict import history_text
from wandb_repro.report.verdict import verdict_text
from wandb_repro.store.locate import locate
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.workflows.verify_capsules import verify_capsules
from wandb_repro.workflows.verify_history import verify_history


@click.command("verify")
@click.argument("a")
@click.argument("b", required=False)
@click.option(
    "--history",
    is_flag=True,
    help="Compare the history that W&B has of A with what A logged, value by value.",
)
@click.option("--until-epoch", type=click.IntRange(min=1), help="Compare only the first N epochs.")
@click.option("--until-step", type=click.IntRange(min=1), help="Compare only the first N steps.")
@tolerance_options
@json_option
@answers
def command(
    a: str,
    b: str | None,
    history: bool,
    until_epoch: int | None,
    until_step: int | None,
    rtol: float | None,
    metrics: tuple[str, ...],
    as_json: bool,
) -> int:
    """Give the verdict on the runs A and B: identical bit for bit?

    With --rtol or --metric, runs that are not identical may be equivalent: exit code 0 too.
    With --history, A alone is verified: name it ENTITY/PROJECT/ID, or give its folder.
    """
    output = Output(as_json=as_json)
    tolerance = tolerance_of(rtol, metrics)
    if history:
        if b is not None or rtol is not None or metrics or until_epoch or until_step:
            raise UsageError("--history takes one run and no other option but --json.")
        return _history(a, output)
    if b is None:
        raise UsageError(
            "A second run is missing.",
            hint="Name two runs, or compare the history that W&B has of this one with --history.",
        )
    with scratch_folder() as scratch:
        first = locate(a, scratch / "a", code=False).capsule
        second = locate(b, scratch / "b", code=False).capsule
        verdict = verify_capsules(first, second, Limit(until_epoch, until_step), tolerance)
    output.report(verdict_text(verdict), verdict.model_dump(mode="json"))
    return verdict.exit_code


def _history(run: str, output: Output) -> int:
    with scratch_folder() as scratch:
        located = locate(run, scratch / "a", code=False)
        pages = scratch / "history"
        pages.mkdir()
        verdict = verify_history(located, pages)
    data = {**verdict.model_dump(mode="json"), "exit_code": verdict.exit_code}
    output.report(history_text(verdict), data)
    return verdict.exit_code
