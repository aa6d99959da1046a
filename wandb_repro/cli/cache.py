"""``cache``: lists and deletes the environments that reruns built and kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import click
from rich.text import Text

from wandb_repro.cli.common import Output, answers, json_option
from wandb_repro.errors import NotFoundError
from wandb_repro.report.cache import KeptRow, cache_text
from wandb_repro.report.text import count
from wandb_repro.rerun.environment.cache import Cache, Entry, user_cache
from wandb_repro.rerun.environment.clone import list_folder

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
    kept = [_row(entry, now) for entry in cache.entries()]
    text = cache_text(str(cache.folder), kept)
    Output(as_json=as_json).report(text, [vars(one) for one in kept])
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
    chosen = [
        (entry.key, entry)
        for entry in _named(cache, keys)
        if days is None or _age_s(entry) >= days * _DAY_S
    ]
    if not keys:
        chosen += [
            pair for pair in cache.leftovers() if days is None or _age_s(pair[1]) >= days * _DAY_S
        ]
    deleted, busy = _deleted(cache, chosen)
    output = Output(as_json=as_json)
    for key in busy:
        output.progress(f"{key[:12]} is in use by a starting rerun and was kept")
    output.report(Text(f"{count(len(deleted), 'environment')} deleted"), _data(deleted, busy))
    return 0


def _data(deleted: list[str], busy: list[str]) -> dict[str, Any]:
    return {"deleted": deleted, "in_use": busy}


def _deleted(cache: Cache, chosen: list[tuple[str, Entry]]) -> tuple[list[str], list[str]]:
    """Delete what nobody holds; return the keys of what is gone, and of what was held."""
    deleted: list[str] = []
    busy: list[str] = []
    for key, entry in chosen:
        with cache.locked(key) as is_ours:
            if is_ours:
                entry.remove()
            (deleted if is_ours else busy).append(key)
    return deleted, busy


def _named(cache: Cache, keys: tuple[str, ...]) -> Iterator[Entry]:
    """Yield what is asked for; everything when nothing is named.

    Raises:
        NotFoundError: nothing kept is called so.
    """
    kept = list(cache.entries())
    if not keys:
        yield from kept
    for key in keys:
        found = [one for one in kept if len(key) >= _SHORTEST and one.key.startswith(key)]
        if not found:
            raise NotFoundError(
                f"No environment with digest {key[:64]!r}.",
                hint="`wandb-repro cache` lists them; give its first letters, at least 4.",
            )
        yield from found


def _age_s(entry: Entry) -> float:
    return time.time() - entry.used_s


def _row(entry: Entry, now: float) -> KeptRow:
    files = list_folder(entry.folder)
    python, packages = entry.facts()
    return KeptRow(
        key=entry.key,
        python=python,
        packages=packages,
        size_bytes=sum(size for size, _, _ in files.values()),
        unused_s=max(0.0, now - entry.used_s),
    )
