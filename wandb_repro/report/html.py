"""Builds self-contained HTML pages with escaped text: they load no script, style, font or image."""

from __future__ import annotations

from xml.etree.ElementTree import Element, tostring

from wandb_repro.report.text import clean

Child = Element | str

_SCHEMES = ("https://", "http://")


def element(tag: str, *children: Child, **attributes: str) -> Element:
    """Return an element. Text is escaped, so it cannot contain markup.

    Args:
        tag: name of the element.
        children: elements, and text between them.
        attributes: ``class_`` is ``class``; an underscore inside a name is a hyphen.
    """
    result = Element(
        tag, {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    )
    for child in children:
        if isinstance(child, Element):
            result.append(child)
        elif len(result):
            result[-1].tail = (result[-1].tail or "") + _text(child)
        else:
            result.text = (result.text or "") + _text(child)
    return result


def _text(text: str) -> str:
    """Return text without control characters; line ends are kept, for ``pre``."""
    return "\n".join(clean(line, _LONGEST) for line in text.split("\n"))


_LONGEST = 4000
"""Characters of a line."""


def link(text: str, address: str) -> Element:
    """Return a link, or only its text if the address is not http or https."""
    if not address.startswith(_SCHEMES):
        return element("span", text)
    return element("a", text, href=clean(address), rel="noreferrer noopener")


def document(title: str, *children: Child) -> str:
    """Return a complete page, to be written to a file as UTF-8."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", _STYLE),
    )
    page = element("html", head, element("body", element("main", *children)), lang="en")
    return f"<!doctype html>\n{tostring(page, encoding='unicode', method='html')}\n"


_STYLE = """
:root {
  --paper: #fff; --ink: #1b1f24; --dim: #57606a; --line: #d0d7de; --soft: #f6f8fa;
  --good: #116329; --good-soft: #dafbe1; --bad: #a40e26; --bad-soft: #ffebe9;
  --warn: #7d4e00; --warn-soft: #fff8c5; --link: #0550ae;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #0d1117; --ink: #e6edf3; --dim: #9198a1; --line: #3d444d; --soft: #151b23;
    --good: #7ee787; --good-soft: #12261e; --bad: #ffa198; --bad-soft: #2d1216;
    --warn: #f2cc60; --warn-soft: #272115; --link: #79c0ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
}
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 2rem; }
h1 { font-size: 1.15rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.75rem 0 .5rem; padding-bottom: .25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: .9rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0; }
a { color: var(--link); }
code, pre, dd, td { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace;
  font-size: .85rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px;
  padding: .6rem .75rem; overflow-x: auto; margin: .4rem 0; }
pre.command { white-space: pre-wrap; overflow-wrap: anywhere; }
.band { border-left: 5px solid; border-radius: 6px; padding: .6rem .9rem; font-weight: 600; }
.good { color: var(--good); border-color: var(--good); background: var(--good-soft); }
.bad { color: var(--bad); border-color: var(--bad); background: var(--bad-soft); }
.warn { color: var(--warn); border-color: var(--warn); background: var(--warn-soft); }
.dim { color: var(--dim); }
ul { margin: .25rem 0; padding-left: 1.2rem; }
li { margin: .3rem 0; overflow-wrap: anywhere; }
li .cure { display: block; font-weight: 600; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .2rem 1rem;
  margin: .5rem 0; }
dt { color: var(--dim); }
dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; padding: .15rem .75rem .15rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); }
td:last-child { overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 500; font-size: .85rem; }
summary { cursor: pointer; color: var(--link); margin: .4rem 0; }
ins, del { display: block; text-decoration: none; }
ins { color: var(--good); background: var(--good-soft); }
del { color: var(--bad); background: var(--bad-soft); }
figure { margin: .75rem 0; }
figcaption { color: var(--dim); font-size: .85rem; }
svg { display: block; width: 100%; height: 1.3rem; margin-bottom: .2rem; }
svg .equal { fill: var(--good); } svg .differs { fill: var(--bad); }
svg .unknown { fill: none; stroke: var(--dim); stroke-dasharray: 4 3; }
svg .cross { stroke: var(--paper); stroke-width: 2; vector-effect: non-scaling-stroke; }
footer { margin-top: 2rem; color: var(--dim); font-size: .8rem; }
@media (max-width: 34rem) {
  main { padding: .75rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .45rem; }
}
@media print {
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  h2, h3 { break-after: avoid; }
  .band, figure, tr { break-inside: avoid; print-color-adjust: exact; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary { color: inherit; list-style: none; }
}
"""
