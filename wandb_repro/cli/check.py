"""``check``: would a rerun here be bit-identical? Runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wandb_repro.cli.common import Output, answers, json_option, scratch_folder
from wandb_repro.cli.shared_options import set_option, switches_of
from wandb_repro.errors import UsageError
from wandb_repro.report.prediction import prediction_text
from wandb_repro.store.locate import locate
from wandb_repro.workflows.check import Aim, predict_here


@click.command("check")
@click.argument("run")
@click.option(
    "--by-hand",
    is_flag=True,
    help="Predict its command started in this shell and environment, instead of rerun.",
)
@click.option(
    "--env",
    "environment",
    default="auto",
    metavar="auto|here|rebuild|PYTHON",
    help="As for rerun.",
)
@click.option("--python", "base_python", type=click.Path(path_type=Path), help="As for rerun.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="As for rerun.")
@set_option
@click.option("--seed", type=click.IntRange(min=0), help="Predict with this seed.")
@click.option(
    "--deterministic/--no-deterministic",
    default=None,
    help="Predict with op determinism on or off.",
)
@json_option
@answers
def command(run: str, sets: tuple[str, ...], as_json: bool, **aimed: Any) -> int:
    """Predict whether RUN would be bit-identical if trained on this machine.

    Executes nothing of it. Exits with 0 if nothing was found, 1 with findings, 3 if it
    cannot tell.
    """
    aim = Aim(sets=switches_of(sets), **aimed)
    if not aim.by_hand and (aim.seed is not None or aim.deterministic is not None):
        raise UsageError(
            "rerun restores the recorded seed and determinism.",
            hint="Use --seed and --deterministic with --by-hand.",
        )
    with scratch_folder() as scratch:
        located = locate(run, scratch)
        prediction = predict_here(located.capsule, aim, scratch / "rerun", found=located.found)
    data = {**prediction.model_dump(mode="json"), "exit_code": prediction.exit_code}
    Output(as_json=as_json).report(prediction_text(prediction), data)
    return prediction.exit_code
