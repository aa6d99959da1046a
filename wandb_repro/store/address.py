"""Parses how people name a run or project on W&B: a path, or the URL of its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from wandb_repro.errors import UsageError

_PART = re.compile(r"[^\s/\\:?#%\x00-\x1f]+")
"""What W&B allows in an entity, a project and a run id. Source: ``wandb.init`` of 0.31."""

_CLOUD = "wandb.ai"
_ALIASES = {
    "www.wandb.ai": _CLOUD,
    # NOTE: since wandb 0.31 W&B's own cloud also has this name.
    "forge.coreweave.com": _CLOUD,
    "localhost": "127.0.0.1",
}


@dataclass(frozen=True)
class RunAddress:
    """A run or project on W&B."""

    path: str
    """``ENTITY/PROJECT/ID``, or ``PROJECT/ID`` of the default entity; of a project, without ID."""
    server: str
    """The page's URL up to the host; empty if only a path was given."""


def parse_address(text: str) -> RunAddress:
    """Parse ``ENTITY/PROJECT/ID``, ``PROJECT/ID``, or the URL of a run's page on any server.

    Raises:
        UsageError: it is none of these.
    """
    parts, server = _split(text.strip())
    return RunAddress(_path(text.strip(), _run_of_page(parts) if server else parts), server)


def parse_project(text: str) -> RunAddress:
    """Parse ``ENTITY/PROJECT``, ``PROJECT``, or the URL of a project's page.

    Raises:
        UsageError: it is none of these.
    """
    text = text.strip()
    parts, server = _split(text)
    if server:
        # W&B writes ENTITY/PROJECT[/workspace...], openwandb projects/ENTITY/PROJECT.
        parts = parts[parts[:1] == ["projects"] :][:2]
    counts = (2,) if server else (1, 2)
    if len(parts) not in counts or not all(map(_is_part, parts)):
        raise UsageError(
            f"{text!r} is not a W&B project.",
            hint="Write entity/project, the address of the project's page, or a folder of runs.",
        )
    return RunAddress("/".join(parts), server)


def _split(text: str) -> tuple[list[str], str]:
    """Return the names between slashes, and the server of a URL; empty for a path."""
    if not re.match(r"https?://", text, re.IGNORECASE):
        return text.split("/"), ""
    try:
        parts = urlsplit(text)
        server = f"{parts.scheme}://{_host(text)}"
    except ValueError as error:
        raise UsageError(f"{text!r} is not a valid address: {error}.") from error
    return [unquote(name) for name in parts.path.split("/") if name], server


def same_server(address: str, configured: str) -> bool:
    """Return whether a page's URL belongs to a configured W&B server.

    ``api.HOST`` and ``app.HOST`` equal ``HOST``; all names of W&B's own cloud are equal.
    """
    return _host(address) == _host(configured)


def _run_of_page(segments: list[str]) -> list[str]:
    """Return entity, project and id from a page's path; empty if it is not a run's page.

    W&B writes ``[PREFIX/]ENTITY/PROJECT/runs/ID``, openwandb ``runs/ENTITY/PROJECT/ID``.
    """
    if "runs" not in segments[1:] and segments[:1] == ["runs"]:
        return segments[1:4] if len(segments) >= len(("runs", "entity", "project", "id")) else []
    position = segments.index("runs", 2) if "runs" in segments[2:] else -1
    run_id = segments[position + 1 : position + 2]
    return [*segments[position - 2 : position], *run_id] if position > 0 and run_id else []


def _path(text: str, parts: list[str]) -> str:
    if len(parts) not in (2, 3) or not all(_is_part(part) for part in parts):
        raise UsageError(
            f"{text!r} is not a W&B run.",
            hint="Write entity/project/id, project/id, or the address of the run's page.",
        )
    return "/".join(parts)


def _is_part(part: str) -> bool:
    return _PART.fullmatch(part) is not None and part not in (".", "..")


def _host(address: str) -> str:
    """Return the canonical host name, with its port unless it is 80 or 443."""
    parts = urlsplit(address)
    name = re.sub(r"^(api|app)\.", "", (parts.hostname or "").lower())
    port = "" if parts.port in (None, 80, 443) else f":{parts.port}"
    return _ALIASES.get(name, name) + port
