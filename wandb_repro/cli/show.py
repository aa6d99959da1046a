"""``show``: what was recorded, or what is uploaded."""

from __future__ import annotations

from typing import Any

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.disclosure import uploads_data, uploads_text
from wandb_repro.report.show import record_text
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.store.locate import locate
from wandb_repro.verify.audit import audit
from wandb_repro.verify.finding import Finding
from wandb_repro.workflows.disclosure import uploads_of


@click.command("show")
@click.argument("run")
@click.option("--uploads", is_flag=True, help="Show what the run uploads instead.")
@click.option("--leaving", is_flag=True, hidden=True)  # its former name
@json_option
@answers
def command(run: str, uploads: bool, leaving: bool, as_json: bool) -> int:
    """Show the record of RUN, and every reason why it might not run again."""
    output = Output(as_json=as_json)
    if uploads or leaving:
        with scratch_folder() as scratch:
            located = locate(run, scratch)
            manifest = read_manifest(located.capsule)
            found = uploads_of(located.capsule, manifest, remote=located.found is not None)
        output.report(uploads_text(run_name(manifest), found), uploads_data(found))
        return 0
    with scratch_folder() as scratch:
        capsule = locate(run, scratch, code=False).capsule
        manifest, trail = read_manifest(capsule), read_trail(capsule)
    findings = audit(manifest, trail)
    text = record_text(run_name(manifest), manifest, trail, findings)
    output.report(text, _data(manifest, trail, findings))
    return 0


def _data(manifest: Manifest, trail: Trail, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {
        "manifest": manifest.model_dump(mode="json"),
        "findings": [finding.model_dump(mode="json") for finding in findings],
        "moments": [
            weights.model_dump(mode="json", exclude={"leaves"}) for weights in trail.weights
        ],
        "missing": [missing.model_dump(mode="json") for missing in trail.missing],
    }
