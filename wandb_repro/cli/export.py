"""``export``: a run as plain files and commands."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
from rich.text import Text

from wandb_repro.cli.frame import (
    Output,
    answers,
    check_new_folder,
    json_option,
    new_folder,
    scratch_folder,
)
from wandb_repro.manifest.packages import Packages
from wandb_repro.repeat import bundle_of
from wandb_repro.report.words import clean
from wandb_repro.rerun.choice import check_rebuildable
from wandb_repro.rerun.code import restore
from wandb_repro.rerun.interpreter import FoundPython
from wandb_repro.rerun.lock import resolve_lock
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.store.base import FOLDER, Capsule
from wandb_repro.store.folder import read_manifest
from wandb_repro.store.resolve import locate

__all__ = ["command"]

_SCRIPT = """\
#!/bin/sh
# Reruns this run from this folder. The environment is made once, by uv; after that neither a
# network nor a terminal is needed. Exit codes are those of `wandb-repro rerun`.
set -eu
cd "$(dirname "$0")"
if [ ! -x env/bin/python ]; then
    uv venv --quiet --python {python} env
    uv pip sync --quiet --no-build --python env/bin/python pylock.toml
fi
exec env/bin/python -m wandb_repro rerun ./{folder} --env env/bin/python --yes "$@"
"""


@click.command("export")
@click.argument("run")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--python",
    "base_python",
    type=click.Path(path_type=Path),
    help="Lock for this interpreter instead of the recorded version.",
)
@json_option
@answers
def command(run: str, folder: Path, base_python: Path | None, as_json: bool) -> int:
    """Write RUN into the new folder DIR: code, capsule, lock, requirements, rerun.sh."""
    check_new_folder(folder)
    output = Output(as_json=as_json)
    with scratch_folder() as scratch:
        capsule = locate(run, scratch).capsule
        plan = make_plan(read_manifest(capsule), folder, allow_missing=True, ask_values=False)
        packages = plan.parts.packages
        base = check_rebuildable(packages, capsule.wheels, base_python, work=folder)
        with new_folder(folder):
            _write_code(plan, capsule, folder, output)
            _write_lock(packages, folder, base, output)
    names = sorted(path.name for path in folder.iterdir())
    output.report(
        Text(f"{clean(folder)} holds {', '.join(names)}"), {"folder": str(folder), "holds": names}
    )
    return 0


def _write_code(plan: Plan, capsule: Capsule, folder: Path, output: Output) -> None:
    output.progress(f"Restoring tree {plan.parts.code.tree[:12]}")
    bundle = bundle_of(capsule, plan.parts.code)
    restore(bundle, plan.parts.code, folder / "code")
    shutil.copytree(capsule.folder, folder / FOLDER)
    if bundle != capsule.bundle:
        shutil.copyfile(bundle, Capsule(folder / FOLDER).bundle)


def _write_lock(packages: Packages, folder: Path, base: FoundPython, output: Output) -> None:
    output.progress(f"Locking {len(packages.distributions)} packages for Python {base.version}")
    lock = resolve_lock(packages, folder / FOLDER / "wheels", python=base.path)
    lock.write_pylock(folder / "pylock.toml")
    lock.write_requirements(folder / "requirements.txt")
    script = folder / "rerun.sh"
    script.write_text(_SCRIPT.format(python=base.version, folder=FOLDER), encoding="utf-8")
    script.chmod(0o755)
    for note in lock.notes:
        output.progress(note)
