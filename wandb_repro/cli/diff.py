"""``diff``: the differences between two runs."""

from __future__ import annotations

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.manifest.manifest import run_name
from wandb_repro.report.differences import differences_text
from wandb_repro.store.local import read_manifest
from wandb_repro.store.locate import locate
from wandb_repro.verify.manifest_diff import differences


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="List many differences of one kind one by one.")
@json_option
@answers
def command(a: str, b: str, every: bool, as_json: bool) -> int:
    """Show what differs between the runs A and B, what can change bits first."""
    with scratch_folder() as scratch:
        first = read_manifest(locate(a, scratch / "a", code=False).capsule)
        second = read_manifest(locate(b, scratch / "b", code=False).capsule)
    findings = differences(first, second)
    Output(as_json=as_json).report(
        differences_text(run_name(first), run_name(second), findings, every=every),
        [finding.model_dump(mode="json") for finding in findings],
    )
    return 1 if findings else 0
