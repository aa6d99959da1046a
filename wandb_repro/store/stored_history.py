"""Reads the whole history of a run from W&B, page by page.

``Run.scan_history`` is not used: that of wandb 0.27.1 ends at the first 1,000 steps without a row.
With ``keys`` it leaves out each row that lacks one of them, and ``Run.history`` is a sample.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wandb_repro.errors import StoreError
from wandb_repro.store.address import RunAddress, parse_address
from wandb_repro.store.download import size_limit
from wandb_repro.store.fetch import check_server
from wandb_repro.store.subprocess import run_apart
from wandb_repro.store.wandb_api import configured, connect, find_run, translated

_PAGE = 1000
"""Rows that are asked for at once, and steps that have so many at most. Of a range with more rows,
W&B returns a sample."""

_WIDER = 4
"""How much wider a range may become, over steps that are far apart."""

_MOST_PAGES = 100_000
"""A server must not keep us busy for ever."""

_QUERY = """
query HistoryPage($entity: String!, $project: String!, $name: String!,
                  $minStep: Int64!, $maxStep: Int64!, $pageSize: Int!) {
    project(name: $project, entityName: $entity) {
        run(name: $name) { history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize) }
    }
}
"""

HistoryRow = tuple[int, dict[str, object]]
"""A step and the values logged there."""


class Read(NamedTuple):
    """What is known after the whole history was read."""

    state: str
    """Of the run, as W&B reports it: ``running``, ``finished``, ..."""
    without_step: int
    """Rows that have no step; they are not passed on."""


def read_history(
    path: str, scratch: Path, last_step: int, each: Callable[[list[HistoryRow]], None]
) -> Read:
    """Read all rows that W&B has of a run.

    Args:
        path: ``entity/project/id``, ``project/id``, or the URL of the run's page.
        scratch: an empty folder.
        last_step: read up to this step, even if W&B does not know of it.
        each: takes the rows of each page. Steps rise within a page and from page to page.

    Raises:
        UsageError: the path is invalid, or wandb is configured for a different server.
        NotFoundError: there is no such run.
        StoreError: nobody is logged in, or the server did not answer.
    """
    return run_apart(
        _read,
        parse_address(path),
        scratch,
        last_step,
        scratch=scratch,
        limit=size_limit,
        progress=each,
    )


def _read(
    report: Callable[[list[HistoryRow]], None], address: RunAddress, scratch: Path, last_step: int
) -> Read:
    with configured(scratch) as (server, pages):
        check_server(address, server, pages)
        run = find_run(connect(server), address.path, server)
        return read_rows(run, last_step, server, report)


def read_rows(
    run: Any, last_step: int, server: str, report: Callable[[list[HistoryRow]], None]
) -> Read:
    """Read all rows of a run of ``wandb.Api``; arguments as for ``read_history``.

    Raises:
        StoreError: the server did not answer.
    """
    without_step = 0
    with translated(server):
        end = max(last_step, int(run.lastHistoryStep)) + 1
        for page in pages_of(lambda first, end: _page(run, first, end), end):
            rows, bare = merged(page)
            without_step += bare
            report(rows)
        return Read(str(run.state), without_step)


def pages_of(
    ask: Callable[[int, int], Sequence[Mapping[str, object]]], end: int
) -> Iterator[Sequence[Mapping[str, object]]]:
    """Yield all rows before a step, page by page.

    Args:
        ask: returns the rows from a step to before another, a sample if they are too many.
        end: the step after the last one.
    """
    first, width = 0, _PAGE
    for _ in range(_MOST_PAGES):
        if first >= end:
            return
        rows = ask(first, min(first + width, end))
        # A step is one row, so a page's width of steps is never a sample. A wider range counts only
        # if it is so empty that it cannot be one.
        if width > _PAGE and len(rows) >= _PAGE // _WIDER:
            width //= _WIDER
            continue
        yield rows
        first += width
        if len(rows) < _PAGE // _WIDER**2:
            width *= _WIDER
    raise StoreError(
        f"The history has more than {_MOST_PAGES:,} pages of {_PAGE:,} rows.",
        hint="It is too long to be compared.",
    )


def merged(page: Sequence[Mapping[str, object]]) -> tuple[list[HistoryRow], int]:
    """Return a page's rows by step, rising, and how many rows have no step.

    A run that was resumed may have a step in two rows; the later values count.
    """
    rows: dict[int, dict[str, object]] = {}
    without_step = 0
    for row in page:
        step = row.get("_step")
        if isinstance(step, int | float) and step == int(step):
            rows.setdefault(int(step), {}).update(row)
        else:
            without_step += 1
    return sorted(rows.items()), without_step


def _page(run: Any, first: int, end: int) -> list[Mapping[str, object]]:
    answer = run._exec(_document(), minStep=first, maxStep=end, pageSize=_PAGE)
    lines = answer["project"]["run"]["history"]
    rows = [json.loads(line) for line in lines]
    # Whatever the server makes of the range: each row is passed on once, in its place.
    return [row for row in rows if "_step" not in row or first <= row["_step"] < end]


def _document() -> Any:
    """Return the query; before wandb 0.27 it must be parsed."""
    try:
        return importlib.import_module("wandb_gql").gql(_QUERY)
    except ImportError:
        return _QUERY
