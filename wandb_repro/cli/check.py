"""``check``: would it be bit-identical here? Looked at before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.cli.shared_options import set_option, switches_of
from wandb_repro.errors import UsageError
from wandb_repro.report.prediction import prediction_text
from wandb_repro.store.locate import locate
from wandb_repro.workflows.check import Aim, look

__all__ = ["command"]


@click.command("check")
@click.argument("run")
@click.option(
    "--by-hand",
    is_flag=True,
    help="Foresee its command started in this shell and environment, not by rerun.",
)
@click.option(
    "--env",
    "environment",
    default="auto",
    metavar="auto|here|rebuild|PYTHON",
    help="As in rerun.",
)
@click.option("--python", "base_python", type=click.Path(path_type=Path), help="As in rerun.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="As in rerun.")
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="What if the seed were another?")
@click.option(
    "--deterministic/--no-deterministic",
    default=None,
    help="What if op determinism were asked for, or not?",
)
@json_option
@answers
def command(run: str, sets: tuple[str, ...], as_json: bool, **aimed: Any) -> int:
    """Foresee whether RUN, trained on this machine, would be bit-identical.

    Nothing of it is executed. Ends with 0 when nothing was found, 1 with findings, 3 when it
    cannot be told.
    """
    aim = Aim(sets=switches_of(sets), **aimed)
    if not aim.by_hand and (aim.seed is not None or aim.deterministic is not None):
        raise UsageError(
            "rerun restores the seed and the determinism that were recorded.",
            hint="--seed and --deterministic go with --by-hand.",
        )
    with scratch_folder() as scratch:
        located = locate(run, scratch)
        prediction = look(located.capsule, aim, scratch / "rerun", found=located.found)
    data = {**prediction.model_dump(mode="json"), "exit_code": prediction.exit_code}
    Output(as_json=as_json).report(prediction_text(prediction), data)
    return prediction.exit_code
