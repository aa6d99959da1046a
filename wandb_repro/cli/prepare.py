"""``rerun --prepare``: everything that needs a network, for a machine that has none."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
from click.core import ParameterSource
from rich.text import Text

from wandb_repro.cli.common import Output, new_folder, scratch_folder
from wandb_repro.cli.export import plan_of, write_export
from wandb_repro.errors import UsageError
from wandb_repro.report.layout import bullets, heading, page
from wandb_repro.report.plan import inequality_sentence
from wandb_repro.report.text import clean
from wandb_repro.rerun.environment.build import Rebuilt
from wandb_repro.rerun.environment.export import Exported
from wandb_repro.rerun.environment.interpreter import find_python
from wandb_repro.store.locate import locate

_TAKEN = frozenset(
    {
        *("run", "prepared_folder", "base_python", "packages", "use_cache"),
        *("allow_missing", "yes", "as_json"),
    }
)
"""Options of ``rerun`` that also apply to preparing, or are harmless."""


def refuse_training_options(context: click.Context) -> None:
    """Raise UsageError for options that are about the training: nothing is trained here."""
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        and parameter.name not in _TAKEN
    ]
    if given:
        raise UsageError(
            f"{given[0]} is about training, but --prepare does not train.",
            hint=f"Pass {' '.join(given)} to DIR/rerun.sh.",
        )


def prepare_folder(
    run: str,
    folder: Path,
    base_python: Path | None,
    output: Output,
    *,
    which: str,
    use_cache: bool,
) -> int:
    """Export the run to a folder, unless it contains the run already, and build its environment.

    Raises:
        ReproError: something is not available. A new folder is deleted again.
    """
    with scratch_folder() as scratch, contextlib.ExitStack() as stack:
        capsule = locate(run, scratch).capsule
        plan = plan_of(capsule, folder.absolute(), which)
        exported = Exported(plan.work)
        if not exported.holds(capsule):
            stack.enter_context(new_folder(folder))
            write_export(capsule, plan, base_python, output)
        packages = plan.parts.packages
        base = find_python(packages.interpreter, base_python)
        prepared = exported.prepare(packages, base, output.progress, use_cache=use_cache)
    _report(exported, prepared, output)
    return 1 if prepared.inequalities else 0


def _report(exported: Exported, prepared: Rebuilt, output: Output) -> None:
    unequal = list(map(inequality_sentence, prepared.inequalities))
    data = {
        "folder": str(exported.folder),
        "script": str(exported.script),
        "not_equal": unequal,
        "notes": list(prepared.notes),
    }
    text = page(
        heading("prepared", str(exported.folder)),
        bullets(("not equal", sentence, "") for sentence in (*unequal, *prepared.notes)),
        Text(f"  → {clean(exported.script)}", style="bold"),
    )
    output.report(text, data)
