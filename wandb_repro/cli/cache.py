"""``cache``: lists and deletes the cached environments of reruns."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import click
from rich.text import Text

from wandb_repro.cli.common import Output, answers, json_option
from wandb_repro.errors import NotFoundError
from wandb_repro.report.cache import KeptRow, cache_text
from wandb_repro.report.text import count
from wandb_repro.rerun.environment.cache import Cache, Entry, limits_of, sizes_of, user_cache

_DAY_S = 86_400
_SHORTEST = 4


@click.group("cache", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the environments that reruns built and kept for later reruns."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


@answers
def _list(*, as_json: bool) -> int:
    cache = user_cache()
    now = time.time()
    rows = [_row(entry, now) for entry in cache.entries()]
    limits = limits_of(os.environ)
    text = cache_text(
        str(cache.folder),
        rows,
        sizes_of(cache.folder),
        f"{limits.days:g} days unused, {limits.gigabytes:g} GB of its own",
    )
    Output(as_json=as_json).report(text, [vars(row) for row in rows])
    return 0


@command.command("clear")
@click.argument("keys", metavar="[DIGEST]...", nargs=-1)
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(min=0),
    metavar="DAYS",
    help="Only environments not used for this many days.",
)
@json_option
@answers
def _clear(keys: tuple[str, ...], days: int | None, as_json: bool) -> int:
    """Delete all kept environments, or those whose digests begin with DIGEST.

    Running reruns have their own copies and are not affected.
    """
    cache = user_cache()
    chosen = [(entry.key, entry) for entry in _named(cache, keys)]
    if not keys:
        chosen += cache.leftovers()
    if days is not None:
        newest_s = time.time() - days * _DAY_S
        chosen = [(key, entry) for key, entry in chosen if entry.used_s <= newest_s]
    deleted, busy = _delete(cache, chosen)
    output = Output(as_json=as_json)
    for key in busy:
        output.progress(f"{key[:12]} is in use by a starting rerun and was kept")
    text = Text(f"{count(len(deleted), 'environment')} deleted")
    output.report(text, {"deleted": deleted, "in_use": busy})
    return 0


def _delete(cache: Cache, chosen: list[tuple[str, Entry]]) -> tuple[list[str], list[str]]:
    """Delete environments; return the keys of the deleted ones, and of those in use."""
    deleted: list[str] = []
    busy: list[str] = []
    for key, entry in chosen:
        (deleted if cache.remove(entry, key) else busy).append(key)
    return deleted, busy


def _named(cache: Cache, keys: tuple[str, ...]) -> Iterator[Entry]:
    """Yield the environments whose digests begin with a key; all if there are no keys.

    Raises:
        NotFoundError: there is none for a key.
    """
    entries = list(cache.entries())
    if not keys:
        yield from entries
    for key in keys:
        found = [entry for entry in entries if len(key) >= _SHORTEST and entry.key.startswith(key)]
        if not found:
            raise NotFoundError(
                f"No environment with digest {key[:64]!r}.",
                hint="`wandb-repro cache` lists them; give its first letters, at least 4.",
            )
        yield from found


def _row(entry: Entry, now: float) -> KeptRow:
    python, packages = entry.facts()
    sizes = sizes_of(entry.folder)
    return KeptRow(
        key=entry.key,
        python=python,
        packages=packages,
        size_bytes=sizes.own_bytes,
        shared_bytes=sizes.shared_bytes,
        unused_s=max(0.0, now - entry.used_s),
    )
