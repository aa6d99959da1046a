"""``run``: runs and records an unchanged script."""

from __future__ import annotations

import os
import shutil
import sys
from typing import NoReturn

import click

from wandb_repro.capture.host import Host
from wandb_repro.cli.common import answers
from wandb_repro.errors import UsageError
from wandb_repro.manifest.request import OPTIONS_VARIABLE, Options
from wandb_repro.manifest.switches import THREADS_VARIABLE
from wandb_repro.recording.options import CODE_CHOICES, MAX_SEED


# Options after the command's first word are the command's own.
@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--seed", type=click.IntRange(0, MAX_SEED), help="Seed for every generator.")
@click.option("--deterministic", is_flag=True, default=None, help="Use deterministic operations.")
@click.option("--code", type=click.Choice(CODE_CHOICES), default="auto", show_default=True)
@click.option("--strict", is_flag=True, help="Fail before training if a fact cannot be recorded.")
@click.option("--steps", type=click.IntRange(min=1), help="Digest weights every N steps.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND")
@answers
def command(
    seed: int | None,
    deterministic: bool | None,
    code: str,
    strict: bool,
    steps: int | None,
    words: tuple[str, ...],
) -> NoReturn:
    """Run and record a Python COMMAND, such as `python train.py --lr 0.1`.

    Sets what must be set before a framework is imported: thread count and hash seed.
    """
    interpreter, flags, rest = _split(words)
    options = Options(seed=seed, deterministic=deterministic, code=code, strict=strict, steps=steps)
    environment = {
        **os.environ,
        THREADS_VARIABLE: os.environ.get(THREADS_VARIABLE) or str(Host().affinity_cores()),
        "PYTHONHASHSEED": os.environ.get("PYTHONHASHSEED", "0"),
        OPTIONS_VARIABLE: options.model_dump_json(exclude_defaults=True),
    }
    arguments = [interpreter, *flags, "-m", "wandb_repro.launch", *rest]
    try:
        os.execve(interpreter, arguments, environment)  # noqa: S606 - a list, no shell
    except OSError as error:
        raise UsageError(f"{interpreter} cannot be started: {error.strerror}.") from error


def _split(words: tuple[str, ...]) -> tuple[str, list[str], list[str]]:
    """Return the interpreter, its own flags, and the script with its arguments.

    Raises:
        UsageError: the command does not start a Python script, module or text.
    """
    if not words:
        raise UsageError("No command to run.", hint="wandb-repro run -- python train.py")
    first, rest = words[0], list(words[1:])
    if first.endswith(".py"):
        return sys.executable, [], list(words)
    interpreter = shutil.which(first)
    if interpreter is None or "python" not in os.path.basename(first):  # noqa: PTH119
        raise UsageError(
            f"{first!r} is not a Python command.",
            hint="wandb-repro run -- python train.py ARGUMENTS",
        )
    flags: list[str] = []
    while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c"):
        flags += [rest.pop(0)]
        if flags[-1] in ("-W", "-X") and rest:
            flags += [rest.pop(0)]
    if not rest:
        raise UsageError("The command names no script.", hint="wandb-repro run -- python train.py")
    return interpreter, flags, rest
