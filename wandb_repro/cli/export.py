"""``export``: writes a run as plain files and commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
from rich.text import Text

from wandb_repro.cli.common import (
    Output,
    answers,
    check_new_folder,
    json_option,
    new_folder,
    packages_option,
    scratch_folder,
)
from wandb_repro.report.text import clean
from wandb_repro.rerun.environment.dependencies import needed_by_run
from wandb_repro.rerun.environment.export import Exported
from wandb_repro.rerun.environment.select import check_rebuildable
from wandb_repro.rerun.found_inputs import find_inputs
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.store.locate import locate
from wandb_repro.workflows.stored_code import added_bundle, bundle_of


@click.command("export")
@click.argument("run")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--python",
    "base_python",
    type=click.Path(path_type=Path),
    help="Lock for this interpreter instead of the recorded version.",
)
@packages_option
@json_option
@answers
def command(run: str, folder: Path, base_python: Path | None, packages: str, as_json: bool) -> int:
    """Write RUN into the new folder DIR: code, capsule, lock, requirements, rerun.sh."""
    check_new_folder(folder)
    output = Output(as_json=as_json)
    with scratch_folder() as scratch:
        capsule = locate(run, scratch).capsule
        plan = plan_of(capsule, folder, packages)
        with new_folder(folder):
            write_export(capsule, plan, base_python, output)
    names = sorted(path.name for path in folder.iterdir())
    output.report(
        Text(f"{clean(folder)} contains {', '.join(names)}"),
        {"folder": str(folder), "holds": names},
    )
    return 0


def plan_of(capsule: Capsule, folder: Path, packages: str) -> Plan:
    """Return what a rerun on another machine does, with its ``needed`` or ``all`` packages."""
    manifest = read_manifest(capsule)
    read_trail(capsule)  # an invalid one is refused before anything is written
    found = find_inputs(manifest, parts_of(manifest).code, {})
    plan = make_plan(manifest, folder, found, allow_missing=True, ask_values=False)
    if packages == "all":
        return plan
    needed = needed_by_run(plan.parts.packages)
    return replace(plan, parts=replace(plan.parts, packages=needed.packages))


def write_export(
    capsule: Capsule, plan: Plan, base_python: Path | None, output: Output
) -> Exported:
    """Fill the plan's folder, which must exist and be empty."""
    base = check_rebuildable(plan.parts.packages, capsule.wheels, base_python)
    exported = Exported(plan.work)
    code = plan.parts.code
    bundles = bundle_of(capsule, code), added_bundle(capsule, code)
    exported.write(capsule, bundles, plan.parts, base, output.progress)
    for missing in plan.inputs.missing:
        output.progress(f"The original read {missing}; the rerun needs it too")
    return exported
