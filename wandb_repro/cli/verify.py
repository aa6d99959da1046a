"""``verify``: the verdict on two finished runs."""

from __future__ import annotations

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.cli.shared_options import tolerance_of, tolerance_options
from wandb_repro.report.verdict import verdict_text
from wandb_repro.store.locate import locate
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.workflows.verify_capsules import verify_capsules


@click.command("verify")
@click.argument("a")
@click.argument("b")
@click.option("--until-epoch", type=click.IntRange(min=1), help="Compare only the first N epochs.")
@click.option("--until-step", type=click.IntRange(min=1), help="Compare only the first N steps.")
@tolerance_options
@json_option
@answers
def command(
    a: str,
    b: str,
    until_epoch: int | None,
    until_step: int | None,
    rtol: float | None,
    metrics: tuple[str, ...],
    as_json: bool,
) -> int:
    """Give the verdict on the runs A and B: identical bit for bit?

    With --rtol or --metric, runs that are not identical may be equivalent: exit code 0 too.
    """
    tolerance = tolerance_of(rtol, metrics)
    with scratch_folder() as scratch:
        first = locate(a, scratch / "a", code=False).capsule
        second = locate(b, scratch / "b", code=False).capsule
        verdict = verify_capsules(first, second, Limit(until_epoch, until_step), tolerance)
    Output(as_json=as_json).report(verdict_text(verdict), verdict.model_dump(mode="json"))
    return verdict.exit_code
