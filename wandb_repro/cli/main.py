"""``wandb-repro``: one file a command, named here."""

from __future__ import annotations

import importlib

import click

from wandb_repro.version import __version__

_COMMANDS = {
    "demo": "Record, rerun and verify a small training, offline, in about a minute.",
    "run": "Run and record a command.",
    "show": "Show what was recorded, and every reason why it might not run again.",
    "check": "Predict whether a rerun here would be bit-identical.",
    "diff": "Show what differs between two runs, what can change bits first.",
    "audit": "Show the status of all runs of a project, and which break your rules.",
    "rerun": "Rerun a recorded training and verify it.",
    "verify": "Give the verdict on two finished runs.",
    "export": "Write a run's code, lock and plain commands into a folder.",
    "cache": "List or delete the environments that reruns built and kept.",
}


class _Commands(click.Group):
    """Imports a command only when it is requested, so that --help starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        return importlib.import_module(f"wandb_repro.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wandb-repro")
def main() -> None:
    """Rerun a recorded Keras training exactly, and prove it.

    RUN is ENTITY/PROJECT/ID, PROJECT/ID, a run's URL, latest, an offline run's folder, or a
    capsule's folder.

    Exit codes: 0 identical, equivalent within the tolerance you gave, or nothing found,
    1 diverged or findings, 2 usage error, 3 inconclusive, 4 refused or could not be rebuilt,
    5 the training failed, 130 interrupted.
    """
