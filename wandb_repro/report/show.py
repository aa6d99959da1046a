"""A record as text: what ``show`` prints."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.layout import STYLES, blank, heading, listing, page, rows
from wandb_repro.report.record_answer import answer
from wandb_repro.report.record_sections import sections
from wandb_repro.verify.finding import Finding


def record_text(
    name: str, manifest: Manifest, trail: Trail, findings: Sequence[Finding]
) -> RenderableType:
    """Return whether the run can be repeated, then what was recorded."""
    shown = [
        (blank(), heading(section.title), rows(section.rows))
        for section in sections(manifest, trail)
    ]
    return page(heading(name), *_answer(findings), *itertools.chain.from_iterable(shown))


def _answer(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    summary = answer(findings)
    yield heading(summary.sentence, style=STYLES[_STYLES[summary.tone]])
    for group in summary.reasons:
        items = (("-", finding.sentence, finding.cure) for finding in group.findings)
        yield from listing(group.title, items, style=STYLES[group.effect])


_STYLES = {"good": "identical", "warn": "inconclusive", "bad": "diverged"}
