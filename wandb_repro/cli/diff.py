"""``diff``: the differences between two runs."""

from __future__ import annotations

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.manifest.manifest import run_name
from wandb_repro.report.differences import differences_text
from wandb_repro.store.local import read_manifest
from wandb_repro.store.locate import locate
from wandb_repro.workflows.diff_capsules import diff_capsules


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="List many differences of one kind one by one.")
@json_option
@answers
def command(a: str, b: str, every: bool, as_json: bool) -> int:
    """Show what differs between the runs A and B: what came out, then what can change bits."""
    with scratch_folder() as scratch:
        first = locate(a, scratch / "a", code=False).capsule
        second = locate(b, scratch / "b", code=False).capsule
        names = [run_name(read_manifest(capsule)) for capsule in (first, second)]
        findings = diff_capsules(first, second)
    Output(as_json=as_json).report(
        differences_text(names[0], names[1], findings, every=every),
        [finding.model_dump(mode="json") for finding in findings],
    )
    return 1 if findings else 0
