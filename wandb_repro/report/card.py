"""The card: a record as one HTML page, for the dashboard or to keep with the run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code, GitState
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Distribution, Packages
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.chart import agreement
from wandb_repro.report.html import Child, document, element, link
from wandb_repro.report.record_answer import answer
from wandb_repro.report.record_sections import Section, sections
from wandb_repro.report.text import count
from wandb_repro.report.verdict import verdict_line, verdict_rows
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.verdict import Grade, Verdict

_MOST_CAUSES = 5
_TONES: dict[Grade, str] = {
    "identical": "good",
    "equivalent": "good",
    "diverged": "bad",
    "inconclusive": "warn",
}
_SIGNS = {"good": "✓", "bad": "✗", "warn": "?"}


class CardExtras(NamedTuple):
    """What a card shows in addition to the record."""

    verdict: Verdict | None = None
    """The verdict, if the run is a rerun."""
    original_moments: int = 0
    """Number of moments that the original recorded."""
    reproduced: str = ""
    """How often and where an original was reproduced; empty if unknown."""
    changes: str = ""
    """Uncommitted changes, as a diff."""


def card(
    name: str,
    manifest: Manifest,
    trail: Trail,
    findings: Sequence[Finding],
    extras: CardExtras | None = None,
) -> str:
    """Return the page: first whether the run can be rerun, then what it ran on.

    ``findings`` are all reasons why it might not run again, from ``audit``.
    """
    extras = extras or CardExtras()
    parts = sections(manifest, trail)
    return document(
        name,
        element("h1", name),
        *_answer(findings),
        *_reproduced(extras.reproduced),
        *(_verdict(extras.verdict, extras.original_moments) if extras.verdict else ()),
        *(child for section in parts for child in _section(section, manifest, extras)),
        *_commands(name, manifest, stops=answer(findings).tone == "bad"),
        element("footer", f"Recorded by {manifest.recorded_by}, {manifest.recorded_at}."),
    )


def _band(tone: str, text: str) -> Element:
    return element("p", f"{_SIGNS[tone]} {text}", class_=f"band {tone}")


def _answer(findings: Sequence[Finding]) -> Iterator[Element]:
    summary = answer(findings)
    yield _band(summary.tone, summary.sentence)
    for group in summary.reasons:
        yield element("h3", group.title)
        yield _bullets((found.sentence, found.cure) for found in group.findings)


def _bullets(items: Iterable[tuple[str, str]]) -> Element:
    return element("ul", *(_bullet(sentence, cure) for sentence, cure in items))


def _bullet(sentence: str, cure: str) -> Element:
    advice = [element("span", f"→ {cure}", class_="cure")] if cure else []
    return element("li", sentence, *advice)


def _reproduced(line: str) -> Iterator[Element]:
    if line:
        yield element("h2", "Reproduced")
        yield element("p", line)


def _verdict(verdict: Verdict, recorded: int) -> Iterator[Element]:
    grade, about = verdict_line(verdict)
    yield element("h2", "This rerun")
    yield _band(_TONES[verdict.grade], f"{grade} {about}")
    yield agreement(verdict, recorded)
    yield _pairs(verdict_rows(verdict))
    if verdict.causes:
        yield element("h3", "Likely causes, most likely first")
        shown = verdict.causes[:_MOST_CAUSES]
        yield _bullets((f"{cause.effect}: {cause.sentence}", cause.cure) for cause in shown)
    if verdict.reasons:
        yield element("h3", "Why")
        yield _bullets((reason, "") for reason in verdict.reasons)


def _pairs(rows: Iterable[tuple[str, str]]) -> Element:
    children: list[Child] = []
    for name, value in rows:
        if value:
            children += [element("dt", name), element("dd", value)]
    return element("dl", *children)


def _section(section: Section, manifest: Manifest, extras: CardExtras) -> Iterator[Element]:
    yield element("h2", section.title)
    yield _pairs(section.rows)
    if section.title == "Code":
        yield from _code(manifest.execution.code, extras.changes)
    elif section.title == "Environment":
        yield from _packages(manifest.execution.packages)


def _code(code: Code | Unavailable, changes: str) -> Iterator[Element]:
    git = code.git if isinstance(code, Code) else None
    if isinstance(git, GitState) and (page := commit_page(git)):
        yield element("p", link("View this commit", page))
    if changes:
        yield element(
            "details",
            element("summary", "Uncommitted changes"),
            element("pre", *_colored(changes)),
        )


def _colored(changes: str) -> Iterator[Child]:
    for line in changes.splitlines():
        if line.startswith("+") and not line.startswith("+++"):
            yield element("ins", line)
        elif line.startswith("-") and not line.startswith("---"):
            yield element("del", line)
        else:
            yield f"{line}\n"


_HOSTED = re.compile(
    r"(?:https?://|ssh://git@|git@)(?P<host>github\.com|gitlab\.com|codeberg\.org)[/:]"
    r"(?P<path>[\w.-]+(?:/[\w.-]+)+)/?"
)


def commit_page(git: GitState) -> str:
    """Return the address of a commit's page; empty if it was not pushed to a known host."""
    if git.pushed is not True or isinstance(git.remote, Unavailable):
        return ""
    match = _HOSTED.fullmatch(git.remote)
    if match is None or isinstance(git.commit, Unavailable):
        return ""
    return f"https://{match['host']}/{match['path'].removesuffix('.git')}/commit/{git.commit}"


def _packages(packages: Packages | Unavailable) -> Iterator[Element]:
    if isinstance(packages, Unavailable):
        return
    on_index = [package for package in packages.distributions if package.origin == "index"]
    others = [package for package in packages.distributions if package.origin != "index"]
    if others:
        yield element("h3", f"{count(len(others), 'package')} not on a package index")
        yield _table(others)
    if on_index:
        summary = f"{count(len(on_index), 'package')} from a package index"
        yield element("details", element("summary", summary), _table(on_index))


def _table(packages: Sequence[Distribution]) -> Element:
    head = _row("th", "package", "version", "from")
    body = (
        _row("td", package.name, package.version, package.origin_detail or package.origin)
        for package in packages
    )
    return element("table", element("thead", head), element("tbody", *body))


def _row(tag: str, *cells: str) -> Element:
    return element("tr", *(element(tag, cell) for cell in cells))


def _commands(name: str, manifest: Manifest, *, stops: bool) -> Iterator[Element]:
    run = manifest.run
    known = not run.offline and not isinstance(run.entity, Unavailable)
    target = shlex.quote(name if known else "latest")
    tool = "uvx 'wandb-repro[rerun]'"
    yield element("h2", "Rerun it")
    if not known:
        yield element("p", "Recorded offline. In the folder where it ran:", class_="dim")
    if stops:
        why = "This stops before training, for the reasons above:"
        yield element("p", why, class_="dim")
    yield element("pre", f"{tool} rerun {target}", class_="command")
    yield element("p", "Compare it with this machine or with another run:")
    lines = f"{tool} check {target}\n{tool} diff {target} OTHER"
    yield element("pre", lines, class_="command")
